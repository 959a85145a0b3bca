package node

// update is set, add, replace, append, prepend and cas:
//
//	<command> <key> <flags> <exptime> <bytes> [<cas>] [noreply]
func update(m mode) func(*client, fields) error {
	return func(cl *client, words fields) error {
		cl.quiet = words.quiet()
		w, ok := cl.parseUpdate(m, words)
		if !ok {
			cl.reply(badLine)
			return nil
		}
		// Only a set promises that the item is not what it was.
		done, err := cl.write(w, m == modeSet)
		if err != nil {
			return err
		}
		cl.reply(done.classic())
		return nil
	}
}

func (cl *client) parseUpdate(m mode, words fields) (w *write, ok bool) {
	flags, ok1 := parseUint32(words[2])
	exptime, ok2 := parseInt32(words[3])
	length, ok3 := parseInt32(words[4])
	if len(words[1]) > maxKey || !ok1 || !ok2 || !ok3 || length < 0 || length > longestValue {
		return nil, false
	}
	it := &item{key: string(words[1]), flags: flags, end: cl.srv.clock.end(exptime)}
	w = &write{mode: m, item: it, length: int(length)}
	if m == modeCAS {
		w.cas, ok = parseUint64(words[5])
		return w, ok
	}
	return w, true
}

// longestValue is the largest length that a command may announce.
const longestValue = 1<<31 - 1 - 2

// A written says how a write ended.
type written struct {
	refusal string // it was not even tried
	outcome outcome
	cas     uint64 // of the item, if it was stored
}

func (w written) classic() string {
	if w.refusal != "" {
		return w.refusal
	}
	return [...]string{stored: "STORED", notStored: "NOT_STORED", exists: "EXISTS", notFound: "NOT_FOUND"}[w.outcome]
}

// write reads the value of w and stores it. drop says whether a refusal loses
// the stored item. An error is one of the connection.
func (cl *client) write(w *write, drop bool) (written, error) {
	// Memory is reserved before the value comes, so that how much the node uses
	// does not depend on how many clients send at a time.
	if refusal := cl.srv.prepare(w, drop); refusal != "" {
		return written{refusal: refusal}, cl.skipValue(w.length)
	}
	w.value = make([]byte, w.length)
	ok, err := cl.readValue(w.value)
	if err != nil || !ok {
		cl.srv.abandon(w)
		return written{refusal: badChunk}, err
	}
	return cl.srv.store(w), nil
}

func (s *Server) prepare(w *write, drop bool) (refusal string) {
	s.cacheMu.Lock()
	defer s.cacheMu.Unlock()
	return s.cache.prepare(w, drop)
}

func (s *Server) abandon(w *write) {
	s.cacheMu.Lock()
	defer s.cacheMu.Unlock()
	s.cache.release(w.reserved)
}

func (s *Server) store(w *write) written {
	s.cacheMu.Lock()
	defer s.cacheMu.Unlock()
	outcome, cas := s.cache.store(w)
	return written{outcome: outcome, cas: cas}
}
