package tomcat

import (
	"regexp"
	"regexp/syntax"
)

// canMatchRequest reports whether re matches any text of the form
// "METHOD /path?query" or "OPTIONS *". When in doubt it does.
func canMatchRequest(re *regexp.Regexp) bool {
	parsed, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return true
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return true
	}
	w := &walk{prog, map[step]bool{}}
	return w.reachesEnd(step{pc: prog.Start})
}

// A walk follows a compiled pattern and the form of a request side by side: is
// there a text that takes both to their ends?
type walk struct {
	prog *syntax.Prog
	seen map[step]bool
}

// A step is a place in both. ended: the pattern wants no more characters.
type step struct {
	pc    int
	part  part
	ended bool
}

// A part of a request that has been written so far.
type part int

const (
	nothing part = iota
	method
	space
	path
	star
)

// The characters that may come after a part, and the part that they make it.
var requestForm = map[part][]struct {
	low, high rune
	then      part
}{
	nothing: {{'A', 'Z', method}},
	method:  {{'A', 'Z', method}, {'-', '-', method}, {' ', ' ', space}},
	space:   {{'/', '/', path}, {'*', '*', star}},
	path:    {{'!', '~', path}, {0x80, 0x10ffff, path}},
}

func (w *walk) reachesEnd(s step) bool {
	if w.seen[s] {
		return false
	}
	w.seen[s] = true
	inst := &w.prog.Inst[s.pc]
	next := step{int(inst.Out), s.part, s.ended}
	switch inst.Op {
	case syntax.InstMatch:
		return s.part >= path
	case syntax.InstAlt, syntax.InstAltMatch:
		return w.reachesEnd(next) || w.reachesEnd(step{int(inst.Arg), s.part, s.ended})
	case syntax.InstCapture, syntax.InstNop:
		return w.reachesEnd(next)
	case syntax.InstEmptyWidth:
		return w.passes(syntax.EmptyOp(inst.Arg), next)
	case syntax.InstFail:
		return false
	}
	return !s.ended && w.reads(inst, s.part, int(inst.Out))
}

// passes goes on behind a condition on the place, of which the word boundaries
// are taken as met.
func (w *walk) passes(op syntax.EmptyOp, next step) bool {
	if op&(syntax.EmptyBeginText|syntax.EmptyBeginLine) != 0 && next.part != nothing {
		return false
	}
	next.ended = next.ended || op&(syntax.EmptyEndText|syntax.EmptyEndLine) != 0
	return w.reachesEnd(next)
}

// reads goes on behind each kind of character that the pattern and the request
// both allow.
func (w *walk) reads(inst *syntax.Inst, at part, pc int) bool {
	for _, allowed := range requestForm[at] {
		if overlaps(inst, allowed.low, allowed.high) && w.reachesEnd(step{pc: pc, part: allowed.then}) {
			return true
		}
	}
	return false
}

// overlaps reports whether inst takes any character from low to high.
func overlaps(inst *syntax.Inst, low, high rune) bool {
	switch inst.Op {
	case syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	if len(inst.Rune) == 1 { // one character, which MatchRune may fold
		return low <= inst.Rune[0] && inst.Rune[0] <= high
	}
	for i := 0; i < len(inst.Rune); i += 2 {
		if inst.Rune[i] <= high && low <= inst.Rune[i+1] {
			return true
		}
	}
	return false
}
