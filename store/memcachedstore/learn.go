package memcachedstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// learn finds out whether the server speaks meta commands with opaques and
// compare-and-set tokens, or else classic ones, and reads its limit for items.
func (w *wire) learn() error {
	line, err := w.ask("mg holdfast-greeting O1\r\nstats settings\r\n")
	switch {
	case err != nil:
		return err
	case line == needsPassword:
		return errors.New("the server asks for a password: set Options.User and Options.Password")
	case line == "EN O1" || line == "HD O1":
		_, err := w.readSettings()
		return err
	case line != "ERROR" && line != "EN":
		return fmt.Errorf("unexpected greeting %q", line)
	}
	// It knows no meta commands, or those of a time when a miss had no opaque.
	told, err := w.readSettings()
	if err != nil {
		return err
	}
	if err := w.learnClassic(); err != nil {
		return err
	}
	w.speaks = classic{hidden: !told} // who tells its settings is no proxy
	return nil
}

// readSettings reads the answer to "stats settings". told is false for a server
// that does not tell them.
func (w *wire) readSettings() (told bool, err error) {
	for {
		line, err := readLine(w.in)
		if err != nil {
			return false, err
		}
		setting, ok := bytes.CutPrefix(line, []byte("STAT "))
		if !ok {
			return told, nil // END, or an error
		}
		told = true
		name, value, _ := bytes.Cut(setting, []byte(" "))
		switch {
		case string(name) == "item_size_max":
			if n, ok := parseUint(value, maxSize); ok {
				w.maxItem = int(n)
			}
		case string(name) == "cas_enabled" && string(value) == "no":
			return true, errors.New("the server keeps no compare-and-set tokens: start memcached without -C")
		}
	}
}

// learnClassic makes sure that the server knows cas and touch. It asks for nothing
// else: a proxy may close the connection.
func (w *wire) learnClassic() error {
	w.speaks = classic{hidden: true}
	stored, err := w.ask(fmt.Sprintf("cas holdfast-greeting 0 %d 0 %d\r\n\r\n", longAgo, uint64(noToken)))
	if err != nil {
		return err
	}
	touched, err := w.ask("touch holdfast-greeting 1\r\n")
	switch {
	case err != nil:
		return fmt.Errorf("%w (touch is needed: twemproxy 0.5 or later)", err)
	case stored == "ERROR" || touched == "ERROR":
		return errors.New("the server knows neither meta commands nor cas and touch: memcached 1.4.8 or later is needed, or a proxy that passes them")
	case stored != "NOT_FOUND" && stored != "EXISTS":
		return fmt.Errorf("unexpected greeting %q", stored)
	case touched != "NOT_FOUND" && touched != "TOUCHED":
		return fmt.Errorf("unexpected greeting %q", touched)
	}
	return nil
}

// ask sends commands and returns the first line of the answer.
func (w *wire) ask(commands string) (string, error) {
	if _, err := w.Write([]byte(commands)); err != nil {
		return "", fmt.Errorf("greeting: %w", err)
	}
	line, err := readLine(w.in)
	switch {
	case err != nil && w.patient && !errors.Is(err, os.ErrDeadlineExceeded):
		return "", fmt.Errorf("greeting: %w (does the server expect TLS?)", err)
	case err != nil:
		return "", fmt.Errorf("greeting: %w", err)
	}
	return string(excerpt(line)), nil
}
