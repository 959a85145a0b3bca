package node

// metaSet is ms <key> <datalen> <flags>*.
func (cl *client) metaSet(words fields) error {
	if len(words[1]) > maxKey || len(words) == 2 {
		cl.refuse(badLine)
		return nil
	}
	if len(words) > mostFlags+1 {
		cl.refuse(tooManyFlags)
		return nil
	}
	length, ok := parseInt32(words[2])
	if !ok || length < 0 || length > longestValue {
		cl.refuse(badLine)
		return nil
	}
	r, refusal := cl.parseMeta(words, 3)
	var w *write
	if refusal == "" {
		w, refusal = r.write(int(length))
	}
	if refusal != "" {
		cl.refuse(refusal)
		return cl.skipValue(int(length))
	}
	done, err := cl.write(w, true)
	if err == nil {
		cl.answerSet(r, done)
	}
	return err
}

// write returns what r wants to have written.
func (r *metaRequest) write(length int) (w *write, refusal string) {
	it := &item{key: string(r.key), binary: r.binary, flags: r.client, end: r.end}
	w = &write{item: it, length: length, cas: r.cas}
	switch r.mode {
	case 0, 'S':
		w.mode = modeSet
	case 'E':
		w.mode = modeAdd
	case 'A':
		w.mode = modeAppend
	case 'P':
		w.mode = modePrepend
	case 'R':
		w.mode = modeReplace
	default:
		return nil, "CLIENT_ERROR invalid mode for ms M token"
	}
	if r.named && (w.mode == modeSet || w.mode == modeReplace) {
		w.mode = modeCAS
		w.staled = r.stale
	}
	for _, flag := range r.flags {
		if flag[0] == 'O' && len(flag) > longestOpaque {
			return nil, longOpaque
		}
	}
	return w, ""
}

func (cl *client) answerSet(r *metaRequest, done written) {
	if done.refusal != "" {
		cl.refuse(done.refusal)
		return
	}
	if r.quiet && done.outcome == stored {
		return
	}
	cl.line = append(cl.line[:0], [...]string{stored: "HD", notStored: "NS", exists: "EX", notFound: "NF"}[done.outcome]...)
	for _, flag := range r.flags {
		if flag[0] == 'c' {
			cl.field('c', done.cas)
			continue
		}
		cl.echoFlag(flag, r.key, r.binary)
	}
	cl.sendLine()
}
