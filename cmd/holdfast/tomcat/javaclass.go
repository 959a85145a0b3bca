package tomcat

// class comes after "[" and writes the class up to its "]".
func (t *translator) class() {
	t.out.WriteByte('[')
	if t.take("^") {
		t.out.WriteByte('^')
	}
	for first := true; t.err == nil && (first || !t.take("]")); first = false {
		t.classItem()
	}
	t.out.WriteByte(']')
}

func (t *translator) classItem() {
	if t.peek("[") {
		t.fail("a class inside a class", `write its characters into the outer one, or for the character itself \[`)
		return
	}
	if t.peek("&&") {
		t.fail("an intersection of classes, &&,", "Go's patterns have none; write the characters that are left, such as [ac-z] for [a-z&&[^b]]")
		return
	}
	if t.take(`\Q`) {
		t.quotation(func(c rune) { t.out.WriteString(t.classRange(c, c)) })
		return
	}
	low, set := t.classCharacter()
	switch {
	case set != "":
		t.out.WriteString(set)
	case t.isRange():
		t.next()
		t.rangeFrom(low)
	case t.err == nil:
		t.out.WriteString(t.classRange(low, low))
	}
}

// isRange reports whether a "-" comes next that is not the last of its class.
func (t *translator) isRange() bool {
	return t.peek("-") && !t.peek("-]") && !t.peek("-[") && !t.peek("-&&")
}

func (t *translator) rangeFrom(low rune) {
	high, set := t.classCharacter()
	if set != "" || high < low {
		t.fail("a range that does not go up", `for the minus sign itself write \-`)
	}
	if t.err == nil {
		t.out.WriteString(t.classRange(low, high))
	}
}

// classCharacter takes one character, or else the set that an escape stands for.
func (t *translator) classCharacter() (c rune, set string) {
	if c = t.next(); c != '\\' {
		return c, ""
	}
	switch c = t.next(); c {
	case 'b', 'B', 'A', 'z', 'Z', 'R', 'G', 'X':
		t.fail(`\`+string(c)+" in a class", "leave out the backslash for the letter itself")
	}
	if set = t.set(c); set != "" {
		return 0, set
	}
	return t.character(c), ""
}

// classRange is low to high for the inside of a class, with the other case of
// its ASCII letters if that is asked for.
func (t *translator) classRange(low, high rune) string {
	out := span(low, high)
	if t.anyCase {
		out += shifted(max(low, 'a'), min(high, 'z'), 'A'-'a')
		out += shifted(max(low, 'A'), min(high, 'Z'), 'a'-'A')
	}
	return out
}

func shifted(low, high, by rune) string {
	if low > high {
		return ""
	}
	return span(low+by, high+by)
}

func span(low, high rune) string {
	if low == high {
		return quoted(low)
	}
	return quoted(low) + "-" + quoted(high)
}
