package node

import "strconv"

// A metaAnswer is what a meta command says.
type metaAnswer struct {
	refusal  string // in place of all below
	silent   bool   // q hides it
	value    []byte // follows the line
	hasValue bool
}

const longOpaque = "CLIENT_ERROR opaque token too long"

// metaCommand is mg, md or ma: do answers with the cache to itself and leaves
// the line in s.line. badFlags is the refusal of flags that cannot be read; ""
// means that each has its own.
func metaCommand(tooMany, badFlags string, do func(*client, *cache, *metaRequest) metaAnswer) func(*client, fields) error {
	return func(cl *client, words fields) error {
		switch {
		case len(words[1]) > maxKey:
			cl.refuse(badLine)
			return nil
		case len(words) > mostFlags+1:
			cl.refuse(tooMany)
			return nil
		}
		r, refusal := cl.parseMeta(words, 2)
		if refusal != "" {
			if badFlags != "" {
				refusal = badFlags
			}
			cl.refuse(refusal)
			return nil
		}
		cl.sendMeta(cl.answer(r, do))
		return nil
	}
}

func (cl *client) answer(r *metaRequest, do func(*client, *cache, *metaRequest) metaAnswer) metaAnswer {
	cl.srv.cacheMu.Lock()
	defer cl.srv.cacheMu.Unlock()
	cl.line = cl.line[:0]
	return do(cl, cl.srv.cache, r)
}

func (cl *client) sendMeta(a metaAnswer) {
	switch {
	case a.refusal != "":
		cl.refuse(a.refusal)
	case a.silent:
	case a.hasValue:
		cl.send(a.value)
	default:
		cl.sendLine()
	}
}

// echo answers with a word and with what the request wants to see again.
func (cl *client) echo(word string, r *metaRequest) metaAnswer {
	cl.line = append(cl.line, word...)
	for _, flag := range r.flags {
		if !cl.echoFlag(flag, r.key, r.binary) {
			return metaAnswer{refusal: longOpaque}
		}
	}
	return metaAnswer{}
}

// echoFlag adds O and k to the line. It reports false if an opaque is too long.
func (cl *client) echoFlag(flag, key []byte, binary bool) bool {
	switch flag[0] {
	case 'O':
		if len(flag) > longestOpaque {
			return false
		}
		cl.line = append(append(cl.line, ' '), flag...)
	case 'k':
		cl.line = append(cl.line, " k"...)
		if !binary {
			cl.line = append(cl.line, key...)
			break
		}
		cl.line = append(encodeKey(cl.line, key), " b"...)
	}
	return true
}

// field adds a flag with a number to the line.
func (cl *client) field(flag byte, number uint64) {
	cl.line = append(cl.line, ' ', flag)
	cl.line = strconv.AppendUint(cl.line, number, 10)
}

// left adds the time left of an item.
func (cl *client) left(it *item, now tick) {
	if it.end == never {
		cl.line = append(cl.line, " t-1"...)
		return
	}
	cl.field('t', uint64(uint32(it.end-now)))
}

// announce begins the answer about an item with its value or without.
func (cl *client) announce(r *metaRequest, length int) {
	if !r.value {
		cl.line = append(cl.line, "HD"...)
		return
	}
	cl.line = append(cl.line, "VA "...)
	cl.line = strconv.AppendInt(cl.line, int64(length), 10)
}
