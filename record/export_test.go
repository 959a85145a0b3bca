package record

// AppendSealedBody seals body as it is: with a chosen nonce, for test vectors,
// and bytes that Append would not write.
func (c *Codec) AppendSealedBody(dst []byte, nonce [24]byte, body []byte, storageKey string) []byte {
	s := c.ring[0]
	return s.seal(append(s.appendHead(dst, nonce), body...), len(dst), storageKey)
}

// SizeBound is a size that the bytes of a record do not exceed.
func (r *Record) SizeBound() int { return r.sizeBound() }
