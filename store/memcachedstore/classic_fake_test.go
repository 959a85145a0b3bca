package memcachedstore

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
)

// obeyClassic does the classic commands, in terms of the meta commands. known is
// false for other commands.
func (f *fake) obeyClassic(words []string, in io.Reader, out *bufio.Writer) (known bool, err error) {
	switch words[0] {
	case "gets":
		return true, f.getClassic(words[1:], out)
	case "set", "add", "cas":
		size, err := strconv.Atoi(words[4])
		if err != nil {
			return true, err
		}
		value := make([]byte, size+2)
		if _, err := io.ReadFull(in, value); err != nil {
			return true, err
		}
		_, err = fmt.Fprintf(out, "%s\r\n", f.store(words, value[:size]))
		return true, err
	case "touch":
		answer := "NOT_FOUND"
		f.mu.Lock()
		if it, ok := f.liveLocked(words[1]); ok {
			it.end = endAfter(words[2])
			f.items[words[1]], answer = it, "TOUCHED"
		}
		f.mu.Unlock()
		_, err := fmt.Fprintf(out, "%s\r\n", answer)
		return true, err
	case "delete":
		answer := "DELETED"
		if f.remove(words[1], nil) != "HD" {
			answer = "NOT_FOUND"
		}
		_, err := fmt.Fprintf(out, "%s\r\n", answer)
		return true, err
	}
	return false, nil
}

func (f *fake) getClassic(keys []string, out *bufio.Writer) error {
	for _, key := range keys {
		f.mu.Lock()
		it, ok := f.liveLocked(key)
		f.mu.Unlock()
		if ok {
			fmt.Fprintf(out, "VALUE %s %s %d %d\r\n%s\r\n", key, it.flags, len(it.value), it.cas, it.value)
		}
	}
	_, err := out.WriteString("END\r\n") // has the error of all
	return err
}

// store does: set|add|cas <key> <flags> <exptime> <bytes> [<cas unique>].
func (f *fake) store(words []string, value []byte) string {
	flags := []string{"F" + words[2], "T" + words[3]}
	switch words[0] {
	case "add":
		flags = append(flags, "ME")
	case "cas":
		flags = append(flags, "C"+words[5])
	}
	code, _ := f.set(words[1], value, flags)
	return map[string]string{"HD": "STORED", "NF": "NOT_FOUND", "EX": "EXISTS", "NS": "NOT_STORED"}[code]
}
