package node

// A metaRequest is what a meta command asks.
type metaRequest struct {
	key    []byte
	binary bool   // b: the key came in base64
	flags  fields // in the order in which the answer has them

	value    bool   // v
	noUpdate bool   // u: reading leaves no marks
	late     bool   // N T R l h: reading leaves its marks after the answer, if there is one
	quiet    bool   // q
	stale    bool   // I
	vivify   bool   // N: make the item if it is missing
	setEnd   bool   // T
	named    bool   // C: a cas is named
	cas      uint64 // C
	mode     byte   // M
	client   uint32 // F
	delta    uint64 // D
	initial  uint64 // J
	end      tick   // T
	born     tick   // N: end of a made item
	recache  tick   // R: an item that ends before shall be renewed
}

const (
	mostFlags     = 18 // beside command and key
	longestOpaque = 32 // with the O
)

// parseMeta reads the key and the flags, which begin at words[first]. If the
// request is bad, the last thing that is wrong is the refusal.
func (cl *client) parseMeta(words fields, first int) (r *metaRequest, refusal string) {
	r = &metaRequest{key: words[1], flags: words[first:], delta: 1}
	ok := true
	refusal = badLine // of a flag that has no refusal of its own
	var seen [256]bool
	for _, flag := range r.flags {
		if flag[0] >= 127 || seen[flag[0]] {
			return nil, "CLIENT_ERROR duplicate flag"
		}
		seen[flag[0]] = true
		valid, known := cl.parseFlag(r, flag)
		if !known {
			return nil, "CLIENT_ERROR invalid flag"
		}
		if !valid {
			ok = false
			refusal = refusalOf(flag[0], refusal)
		}
	}
	if ok {
		return r, ""
	}
	return nil, refusal
}

// refusalOf says what is wrong when the argument of a flag cannot be read.
func refusalOf(flag byte, otherwise string) string {
	switch flag {
	case 'b':
		return "CLIENT_ERROR error decoding key"
	case 'M':
		return "CLIENT_ERROR incorrect length for M token"
	case 'J':
		return "CLIENT_ERROR invalid numeric initial value"
	case 'D':
		return "CLIENT_ERROR invalid numeric delta value"
	case 'F':
		return otherwise
	default:
		return badToken
	}
}

func (cl *client) parseFlag(r *metaRequest, flag []byte) (valid, known bool) {
	valid = true
	argument := flag[1:]
	switch flag[0] {
	case 'b':
		r.key, valid = decodeKey(r.key)
		r.binary = true
	case 'N':
		r.vivify, r.late = true, true
		r.born, valid = cl.parseEnd(argument)
	case 'T':
		r.end, valid = cl.parseEnd(argument)
		r.setEnd, r.late = valid, true
	case 'R':
		r.recache, valid = cl.parseEnd(argument)
		r.late = true
	case 'v':
		r.value = true
	case 'u':
		r.noUpdate = true
	case 'q':
		r.quiet = true
	case 'I':
		r.stale = true
	case 'F':
		r.client, valid = parseUint32(argument)
	case 'C':
		r.cas, valid = parseUint64(argument)
		r.named = true
	case 'M':
		valid = len(argument) == 1
		if valid {
			r.mode = argument[0]
		}
	case 'J':
		r.initial, valid = parseUint64(argument)
	case 'D':
		r.delta, valid = parseUint64(argument)
	case 'l', 'h':
		r.late = true
	case 'O', 'k', 's', 't', 'c', 'f', 'P', 'L':
		// Read when the answer is made; P and L are for proxies.
	default:
		return false, false
	}
	return valid, true
}

func (cl *client) parseEnd(argument []byte) (tick, bool) {
	exptime, ok := parseInt32(argument)
	return cl.srv.clock.end(exptime), ok
}
