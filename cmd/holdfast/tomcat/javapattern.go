package tomcat

import (
	"fmt"
	"regexp"
	"strings"
)

// CompilePattern compiles a pattern of java.util.regex to match whole texts
// without line ends, as Matcher.matches does there. It refuses what Go's regular
// expressions do not have, or would read in another way.
func CompilePattern(java string) (*regexp.Regexp, error) {
	t := &translator{in: []rune(java)}
	t.alternatives(0)
	if t.err == nil && t.pos < len(t.in) {
		t.fail(`")" without "("`, `for the character itself write \)`)
	}
	if t.err != nil {
		return nil, t.err
	}
	re, err := regexp.Compile(`\A(?:` + t.out.String() + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("not a pattern that Go can run: %w", err)
	}
	return re, nil
}

// maxNesting is far above what people write and below what Go refuses.
const maxNesting = 100

// A translator reads a Java pattern and writes it as Go has it. After the first
// error it stands at the end of in.
type translator struct {
	in  []rune
	pos int
	out strings.Builder
	err error

	anyCase, dotAll, unixLines bool // flags i, s and d, each up to the end of its group
}

// fail says what stands at or before pos and what to write instead.
func (t *translator) fail(what, instead string) {
	if t.err == nil {
		t.err = fmt.Errorf("%s near character %d: %s", what, min(t.pos+1, len(t.in)), instead)
	}
	t.pos = len(t.in)
}

// peek reports whether s comes next.
func (t *translator) peek(s string) bool {
	end := t.pos + len(s) // s is ASCII
	return end <= len(t.in) && string(t.in[t.pos:end]) == s
}

func (t *translator) take(s string) bool {
	ok := t.peek(s)
	if ok {
		t.pos += len(s)
	}
	return ok
}

// next takes one character; after the last it is an error.
func (t *translator) next() rune {
	if t.pos == len(t.in) {
		t.fail("the pattern ends too early", "complete it")
		return 0
	}
	t.pos++
	return t.in[t.pos-1]
}

// alternatives goes up to a ")" that it leaves, or the end.
func (t *translator) alternatives(depth int) {
	if depth > maxNesting {
		t.fail("too many groups in each other", "write a simpler pattern")
	}
	for t.pos < len(t.in) && !t.peek(")") {
		if t.take("|") {
			t.out.WriteByte('|')
		} else if t.atom(depth) {
			t.quantifier()
		}
	}
}

// atom reports whether a quantifier may follow.
func (t *translator) atom(depth int) bool {
	switch c := t.next(); c {
	case '(':
		return t.group(depth)
	case '[':
		t.class()
	case '\\':
		t.escape()
	case '.':
		t.out.WriteString(t.dot())
	case '^':
		t.out.WriteString(`\A`)
	case '$':
		t.out.WriteString(`\z`)
	case '*', '+', '?', '{':
		t.fail(fmt.Sprintf("%q has nothing before it to repeat", c), fmt.Sprintf(`for the character itself write \%c`, c))
	default:
		t.literal(c)
	}
	return true
}

// dot is what "." matches.
func (t *translator) dot() string {
	switch {
	case t.dotAll:
		return `(?s:.)`
	case t.unixLines:
		return `[^\n]`
	}
	return `[^\n\r\x{85}\x{2028}\x{2029}]`
}

// literal writes c outside of a class.
func (t *translator) literal(c rune) {
	if t.anyCase && isLetter(c) {
		t.out.WriteString("[" + t.classRange(c, c) + "]")
		return
	}
	t.out.WriteString(quoted(c))
}

func isLetter(c rune) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// quoted is c as both Go's patterns and their classes take it.
func quoted(c rune) string {
	if isLetter(c) || '0' <= c && c <= '9' {
		return string(c)
	}
	return fmt.Sprintf(`\x{%x}`, c)
}

// group comes after "(". Groups need no numbers, since nothing refers back.
func (t *translator) group(depth int) (repeatable bool) {
	outer := *t
	switch {
	case !t.take("?"), t.take(":"):
	case t.peek("="), t.peek("!"), t.peek("<="), t.peek("<!"):
		t.fail("looking ahead or behind, (?"+string(t.in[t.pos])+"…),", "Go's patterns cannot; list what shall match instead, such as .*\\.(png|css) for all but pages")
	case t.peek(">"):
		t.fail("an atomic group, (?>…),", "Go's patterns have none; write (?:…), Go needs no help to be fast")
	case t.take("<"):
		t.skipName()
	default:
		if !t.setFlags() {
			return false
		}
	}
	t.out.WriteString("(?:")
	t.alternatives(depth + 1)
	if !t.take(")") {
		t.fail(`"(" without ")"`, `close it, or for the character itself write \(`)
	}
	t.out.WriteByte(')')
	t.anyCase, t.dotAll, t.unixLines = outer.anyCase, outer.dotAll, outer.unixLines
	return true
}

func (t *translator) skipName() {
	for c := t.next(); c != '>'; c = t.next() {
		if t.err != nil {
			return
		}
	}
}

// setFlags comes after "(?" and reports whether a group begins, "(?i:", rather
// than the flags being for the rest of this one, "(?i)".
func (t *translator) setFlags() (begins bool) {
	for on := true; t.err == nil; {
		switch c := t.next(); c {
		case '-':
			on = false
		case 'i':
			t.anyCase = on
		case 's':
			t.dotAll = on
		case 'd':
			t.unixLines = on
		case 'm': // a text of one line
		case ':', ')':
			return c == ':'
		case 'x':
			t.fail("flag x", "Go's patterns have no comments; leave it out, with the white space")
		case 'u', 'U':
			t.fail("flag "+string(c), "Go's patterns do not have it; write both cases, such as [äÄ]")
		default:
			t.fail("(?"+string(c), "no group begins so; for a question mark write \\?")
		}
	}
	return false
}

var quantifiers = regexp.MustCompile(`^(?:[*+?]|\{\d+(?:,\d*)?\})`)

func (t *translator) quantifier() {
	rest := string(t.in[t.pos:min(len(t.in), t.pos+40)])
	found := quantifiers.FindString(rest)
	t.pos += len(found)
	t.out.WriteString(found)
	switch {
	case found == "" && t.peek("{"):
		t.fail(`"{" without a number`, `for the character itself write \{`)
	case found == "":
	case t.take("?"): // as few as possible: the same for a whole text
	case t.peek("+"):
		t.fail("a possessive "+found+"+", "Go's patterns have none; write "+found+", Go needs no help to be fast")
	case t.peek("*"), t.peek("{"):
		t.fail("two quantifiers in a row", "leave one out, or put a group in between, (?:…)")
	}
}
