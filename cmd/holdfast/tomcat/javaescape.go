package tomcat

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// escape comes after a backslash outside of a class.
func (t *translator) escape() {
	switch c := t.next(); {
	case c == 'Q':
		t.quotation(t.literal)
	case c == 'A':
		t.out.WriteString(`\A`)
	case c == 'z' || c == 'Z':
		t.out.WriteString(`\z`)
	case (c == 'b' || c == 'B') && !t.peek("{"):
		t.out.WriteString(`\` + string(c))
	case c == 'R':
		t.out.WriteString(`(?:\r\n|[` + verticalSpace + `])`)
	default:
		if set := t.set(c); set != "" {
			t.out.WriteString("[" + set + "]")
		} else {
			t.literal(t.character(c))
		}
	}
}

// quotation gives each character up to \E, or the end, to write.
func (t *translator) quotation(write func(rune)) {
	for t.pos < len(t.in) && !t.take(`\E`) {
		write(t.next())
	}
}

const (
	verticalSpace      = `\n-\r\x{85}\x{2028}\x{2029}`
	notVerticalSpace   = `\x{0}-\t\x{e}-\x{84}\x{86}-\x{2027}\x{202a}-\x{10ffff}`
	horizontalSpace    = `\t \x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}`
	notHorizontalSpace = `\x{0}-\x{8}\n-\x{1f}!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{180d}\x{180f}-\x{1fff}\x{200b}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}`
)

// set returns, for the inside of a class, the characters that \c stands for, ""
// if it stands for one only.
func (t *translator) set(c rune) string {
	switch c {
	case 'd', 'D', 'w', 'W':
		return `\` + string(c)
	case 's':
		return `[:space:]`
	case 'S':
		return `[:^space:]`
	case 'v':
		return verticalSpace
	case 'V':
		return notVerticalSpace
	case 'h':
		return horizontalSpace
	case 'H':
		return notHorizontalSpace
	case 'p', 'P':
		return t.property(c)
	}
	return ""
}

var (
	posix      = regexp.MustCompile(`^(Lower|Upper|ASCII|Alpha|Digit|Alnum|Punct|Graph|Print|Blank|Cntrl|XDigit|Space)$`)
	categories = regexp.MustCompile(`^(?:Is)?(L|Lu|Ll|Lt|Lm|Lo|M|Mn|Mc|Me|N|Nd|Nl|No|P|Pc|Pd|Ps|Pe|Pi|Pf|Po|S|Sm|Sc|Sk|So|Z|Zs|Zl|Zp)$`)
	scripts    = regexp.MustCompile(`^(?:Is|script=|sc=)([A-Za-z_]+)$`)
	cased      = regexp.MustCompile(`^(Lower|Upper|(Is)?L[ult])$`)
)

// property comes after \p or \P.
func (t *translator) property(p rune) string {
	name := string(t.next())
	if name == "{" {
		name = ""
		for c := t.next(); c != '}' && t.err == nil; c = t.next() {
			name += string(c)
		}
	}
	if t.anyCase && cased.MatchString(name) {
		t.fail(fmt.Sprintf(`\%c{%s} together with (?i)`, p, name), `write the characters, such as [A-Za-z]`)
		return "x"
	}
	if posix.MatchString(name) {
		not := map[rune]string{'P': "^"}[p]
		return "[:" + not + strings.ToLower(name) + ":]"
	}
	if found := categories.FindStringSubmatch(name); found != nil {
		return fmt.Sprintf(`\%c{%s}`, p, found[1])
	}
	if found := scripts.FindStringSubmatch(name); found != nil && unicode.Scripts[found[1]] != nil {
		return fmt.Sprintf(`\%c{%s}`, p, found[1])
	}
	t.fail(fmt.Sprintf(`\%c{%s}`, p, name), `Go's patterns have no such name; write the characters, such as [A-Za-z]`)
	return "x"
}

var controls = map[rune]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': '\a', 'e': 0x1b}

// character returns the one that \c stands for.
func (t *translator) character(c rune) rune {
	control, isControl := controls[c]
	switch {
	case t.err != nil:
	case isControl:
		return control
	case c == 'c':
		return t.next() ^ 0x40
	case c == '0':
		return t.number(`^[0-3]?[0-7]{1,2}`, 8)
	case c == 'x' && t.take("{"):
		r := t.number(`^[0-9A-Fa-f]{1,6}`, 16)
		t.wantBrace()
		return r
	case c == 'x':
		return t.number(`^[0-9A-Fa-f]{2}`, 16)
	case c == 'u':
		return t.number(`^[0-9A-Fa-f]{4}`, 16)
	case '1' <= c && c <= '9', c == 'k':
		t.fail(`a reference back to a group, \`+string(c)+`,`, "Go's patterns have none; write out what shall match")
	case isLetter(c):
		t.fail(`\`+string(c), "Go's patterns do not have it; for the letter itself leave out the backslash")
	}
	return c
}

// number reads digits as digits describes them.
func (t *translator) number(digits string, base int) rune {
	rest := string(t.in[t.pos:min(len(t.in), t.pos+8)])
	found := regexp.MustCompile(digits).FindString(rest)
	n, err := strconv.ParseInt(found, base, 32)
	if err != nil || n > unicode.MaxRune || 0xd800 <= n && n <= 0xdfff {
		t.fail("a character's number", `write the character itself, or \x{…} with its number`)
		return 0
	}
	t.pos += len(found)
	return rune(n)
}

func (t *translator) wantBrace() {
	if !t.take("}") {
		t.fail(`\x{ without }`, `write \x{…} with the character's number`)
	}
}
