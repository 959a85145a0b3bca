package integration

import (
	"fmt"
	"strings"
)

func makeMetaGet(m *commandMaker, key string) string {
	word, flag := m.name(key)
	from := []string{"v", "v", "c", "f", "k", "s", "t", "O", "q", "h", "l", "u", "T", "N", "R"}
	if !m.oneIn(4) {
		from = from[1:12] // without what changes the item
	}
	return "mg " + word + m.flags(key, flag, from) + m.end()
}

func makeMetaSet(m *commandMaker, key string) string {
	word, flag := m.name(key)
	length, block := m.block(key)
	mode := pick(m, []string{"", "", "ME", "MA", "MP", "MR", "MS", "MX"})
	from := []string{"c", "k", "O", "q", "T", "F", "C", "I"}
	if mode != "" {
		from = append(from, mode)
	}
	text := fmt.Sprintf("ms %s %d", word, length) + m.flags(key, flag, from) + m.end()
	if len(word) > 250 {
		return text // the block would be taken for a command
	}
	return text + block
}

func makeMetaDelete(m *commandMaker, key string) string {
	word, flag := m.name(key)
	return "md " + word + m.flags(key, flag, []string{"q", "k", "O", "C", "I", "T"}) + m.end()
}

func makeMetaArithmetic(m *commandMaker, key string) string {
	word, flag := m.name(key)
	mode := pick(m, []string{"MI", "MD", "M+", "M-", "MX"})
	return "ma " + word + m.flags(key, flag, []string{"v", "v", "c", "t", "k", "O", "q", "C", "D", "J", "N", "T", mode}[1:]) + m.end()
}

func makeMetaDebug(m *commandMaker, key string) string {
	word, flag := m.name(key)
	return strings.TrimRight("me "+word+" "+flag, " ") + m.end()
}

func makeGet(m *commandMaker, key string) string {
	words := []string{pick(m, []string{"get", "get", "gets", "gets", "gat", "gats", "bget"})}
	if strings.HasPrefix(words[0], "gat") {
		words = append(words, m.ttl())
	}
	words = append(words, key)
	for range m.IntN(3) {
		words = append(words, pick(m, append(makerKeys, "nothing")))
	}
	switch m.IntN(60) {
	case 0: // memcached keeps a line so long only if it begins so
		words[0] = pick(m, []string{"get", "gets"})
		words = append(words, strings.Fields(strings.Repeat("a nothing ", 15+m.IntN(300)))...)
	case 1:
		words = append(words, strings.Repeat("k", 251), "b")
	case 2:
		words = words[:1+m.IntN(2)]
	}
	return strings.Join(words, " ") + m.end()
}

func makeUpdate(m *commandMaker, key string) string {
	command := pick(m, []string{"set", "set", "add", "replace", "append", "prepend", "cas", "cas"})
	length, block := m.block(key)
	words := []string{command, key, m.clientFlags(), m.ttl(), fmt.Sprint(length)}
	if command == "cas" {
		words = append(words, m.casOf(key))
	}
	return strings.Join(words, " ") + m.noreply() + m.end() + block
}

func makeLarge(m *commandMaker, key string) string {
	if !m.oneIn(4) {
		return makeUpdate(m, key)
	}
	value := m.large(key)
	if m.oneIn(2) {
		mode := pick(m, []string{"", " ME", " MA", " MP", " MR", " C1", " q", " F1 T100 c"})
		return fmt.Sprintf("ms %s %d%s\r\n%s\r\n", key, len(value), mode, value)
	}
	command := pick(m, []string{"set", "set", "add", "replace", "append", "prepend"})
	return fmt.Sprintf("%s %s %s %s %d%s\r\n%s\r\n", command, key, m.clientFlags(), m.ttl(), len(value), m.noreply(), value)
}

func makeDelete(m *commandMaker, key string) string {
	return "delete " + key + pick(m, []string{"", "", "", " 0", " 1", " noreply", " 0 noreply", " 1 noreply", " x"}) + m.end()
}

func makeArithmetic(m *commandMaker, key string) string {
	delta := m.number()
	if m.oneIn(20) {
		delta = pick(m, []string{"x", "-1", "1x", "18446744073709551616", "1\t"})
	}
	return pick(m, []string{"incr ", "decr "}) + key + " " + delta + m.noreply() + m.end()
}

func makeTouch(m *commandMaker, key string) string {
	return "touch " + key + " " + m.ttl() + m.noreply() + m.end()
}

func makeOther(m *commandMaker, _ string) string {
	if m.oneIn(20) {
		return pick(m, []string{"flush_all", "flush_all noreply", "flush_all 0", "flush_all -1", "flush_all 0 noreply"}) + m.end()
	}
	return pick(m, []string{"version", "version x", "verbosity 0", "verbosity 0 noreply", "mn", "mn x", "shutdown", "stats reset"}) + m.end()
}

// makeBroken returns what is not right. It has no data block unless the server
// reads one.
func makeBroken(m *commandMaker, key string) string {
	long := strings.Repeat("k", 251)
	text := pick(m, []string{
		"", " ", "x", "get", "gets", "gat", "gat 100", "gat x " + key, "gats 1x a", "gat 100 a " + long + " b", "mg", "ms", "md", "ma", "me", "mx a", "mgg a",
		"set", "set a", "set a 0 0", "set a 0 0 x", "set a 0 0 -1", "set a x 0 1", "set a -1 0 1", "set a 0 x 1", "set a 0 0 1 x x", "set " + long + " 0 0 1",
		"set a 4294967296x 0 1", "set a 18446744073709551616 0 1", "set a 0 9223372036854775808 1", "set a 0 0 2147483647", "set a 0 0 -2147483648",
		"set a 0 0 x noreply", "cas a 0 0 1", "cas a 0 0 1 x", "cas a 0 0 1 x noreply", "cas a 0 0 1 noreply",
		"ms " + key, "ms " + key + " x", "ms " + key + " -1", "ms " + key + " S5", "ms " + key + " 2147483646", "ms " + key + " 2147483647", "ms  a",
		"delete", "delete " + long, "delete a 0 0 0", "incr", "incr a", "incr " + long + " 1", "incr a 1 x", "incr a 1 1 1", "decr a x noreply",
		"touch", "touch a", "touch " + long + " 0", "touch a x", "touch a 1 1 1", "touch a x noreply", "verbosity", "verbosity x", "verbosity 0 0 0",
		"flush_all x", "flush_all 0 0 0", "flush_all x noreply", "stats nonsense",
		"GET a", "Mg a", "get\ta", "get a\x00b", "\x00", "mg a\x00 v", "mg a v\x00 c", "getx a", "stat", "quitx", "setx a 0 0 1",
		"ms a 1 c c\r\nx", "ms a 1 zz\r\nx", "ms a 1 T\r\nx", "ms a 0 MZ\r\n", "ms a 2 MZ q\r\nxy", "ms a 1 b\r\nx", "ms a 1 Fx Tx q\r\nx", "ms a 1 Tx Fx\r\nx",
		"ms a 3 O" + strings.Repeat("o", 40) + " MZ\r\nxyz", "set a 0 0 1\r\nxy\r\nmn", "set a 0 0 5\r\nx\r\nyz", "set a 0 0 0\r\n\n", "set a 0 0 3 noreply\r\nxyzz",
		"ms a 3 q\r\nxyzz", "ms a 3 k O1 c\r\nxyzz", "add a 0 0 3 noreply\r\nxyzz",
	})
	switch m.IntN(6) {
	case 0:
		text = pick(m, []string{" ", "   ", "\t", "\r"}) + text
	case 1:
		text = strings.ReplaceAll(text, "set a ", "set "+key+" ")
	}
	return text + "\r\n"
}

// expiringKeys are the keys of expiringCommands.
var expiringKeys = strings.Fields("set add replace append cas ms msadd msappend mg gat gats touch ma madd md stale viv forever long negative vivlong incr kept")

// expiringCommands give an item to each of the expiringKeys: most end soon.
func expiringCommands() []string {
	var commands []string
	for _, key := range expiringKeys {
		if key != "add" && key != "msadd" && key != "madd" && !strings.HasPrefix(key, "viv") {
			commands = append(commands, "set "+key+" 1 1000 1\r\n5\r\n")
		}
	}
	return append(commands,
		"set set 0 1 1\r\nx\r\n", "add add 0 2 1\r\nx\r\n", "replace replace 0 1 1\r\nx\r\n", "append append 0 1 1\r\nx\r\n",
		"cas cas 0 1 1 5\r\nx\r\n", "ms ms 1 T1\r\nx\r\n", "ms msadd 1 ME T2\r\nx\r\n", "ms msappend 1 MA T1\r\nx\r\n",
		"mg mg v T1\r\n", "gat 1 gat\r\n", "gats 2 gats\r\n", "touch touch 1\r\n", "ma ma T1\r\n", "ma madd N1 J7\r\n",
		"md md I T1\r\n", "md stale I\r\n", "mg viv N1 v\r\n", "touch forever 0\r\n", "touch long 2592000\r\n", "touch negative -1\r\n",
		"mg vivlong N100 v\r\n", "incr incr 10\r\n", "touch incr 1\r\n", "incr incr 1\r\n", "touch kept 1\r\n", "set kept 0 0 1\r\nx\r\n",
	)
}
