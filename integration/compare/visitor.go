package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

var (
	// errWrong is an answer that is not what the session's state makes it.
	errWrong = errors.New("wrong answer")

	// errRefused is an error page. It matches errWrong too.
	errRefused = fmt.Errorf("refused: %w", errWrong)
)

// A visitor has a session and knows what must be in it.
type visitor struct {
	user    string
	cookie  []byte
	count   int
	forgets bool // the contestant keeps nothing
	want    []byte
}

// visit sends one request and checks the answer, so that who is fast by not doing the
// work is found out. The error matches errWrong if there was an answer.
func (v *visitor) visit(ctx context.Context, b *measure.Browser, k kind) error {
	path := ""
	if k == begin {
		path = v.user
	}
	p, err := b.Send(ctx, k.line(), path, v.cookie)
	if err != nil {
		return err
	}
	if len(p.Cookie) > 0 {
		v.cookie = append(v.cookie[:0], p.Cookie...)
	}
	if v.expect(k); p.Status == http.StatusOK && bytes.Equal(p.Body, v.want) {
		return nil
	}
	if p.Status != http.StatusOK {
		return fmt.Errorf("%w: session %s: %d %q", errRefused, k, p.Status, p.Body)
	}
	v.believe(p)
	return fmt.Errorf("%w: session %s: %q, want %q", errWrong, k, p.Body, v.want)
}

func (v *visitor) expect(k kind) {
	switch {
	case k == unused:
		v.want = append(v.want[:0], "ok\n"...)
	case k == begin:
		v.want = fmt.Appendf(v.want[:0], "%s 0 %d\n", v.user, textSize)
	case k == destroy:
		v.want = append(v.want[:0], " 0 0\n"...)
	case v.forgets:
		v.want = append(v.want[:0], "somebody 1000 500\n"...)
	case k == change:
		v.count++
		fallthrough
	default:
		v.want = fmt.Appendf(v.want[:0], "%s %d %d\n", v.user, v.count, textSize)
	}
}

// believe goes on from what the session says, so that one failure counts once or twice
// and not for ever.
func (v *visitor) believe(p *measure.Page) {
	var user string
	var count, size int
	if n, _ := fmt.Sscanf(string(p.Body), "%s %d %d", &user, &count, &size); n == 3 && user == v.user {
		v.count = count
	}
}
