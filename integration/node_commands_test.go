package integration

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A commandMaker makes commands for a few keys, so that they meet each other.
// The same seed makes the same commands, but for what they learned from answers
// and for dates.
type commandMaker struct {
	*rand.Rand
	made    int
	history []keyed           // the last commands
	seen    map[string]int    // answers by kind
	cas     map[string]string // by key, as of the last batch
}

// keyed is a command with its key; "" if it concerns all.
type keyed struct{ key, text string }

var makerKeys = []string{"a", "b", "c", "num", "n2", "tab\tkey", strings.Repeat("k", 250)}

func newCommandMaker(seed uint64) *commandMaker {
	return &commandMaker{Rand: rand.New(rand.NewPCG(seed, 0)), seen: map[string]int{}, cas: map[string]string{}}
}

// batch returns some commands and a probe of every key.
func (m *commandMaker) batch() []string {
	m.history = m.history[max(0, len(m.history)-4000):]
	var texts []string
	for range 20 {
		key := pick(m, makerKeys)
		text := pick(m, makers)(m, key)
		if strings.HasPrefix(text, "flush_all") {
			key = ""
		}
		m.history = append(m.history, keyed{key, text})
		texts = append(texts, text)
	}
	for i, probe := range probes(makerKeys) {
		m.history = append(m.history, keyed{makerKeys[i], probe})
		texts = append(texts, probe)
	}
	m.made += len(texts)
	return texts
}

// probes ask for all that can be seen of each key.
func probes(keys []string) []string {
	var texts []string
	for _, key := range keys {
		texts = append(texts, "mg "+key+" c k f h s t u v\r\n")
	}
	return texts
}

// learn notes the cas of every key, and what kinds of answers came.
func (m *commandMaker) learn(answers []string) {
	for _, answer := range answers {
		for _, kind := range answerKinds {
			if strings.HasPrefix(answer, kind) {
				m.seen[kind]++
			}
		}
	}
	for i, key := range makerKeys {
		var length int
		var cas string
		answer := answers[len(answers)-1-len(makerKeys)+i]
		if _, err := fmt.Sscanf(answer, "VA %d c%s", &length, &cas); err != nil {
			cas = "0"
		}
		m.cas[key] = cas
	}
}

func pick[T any](m *commandMaker, from []T) T { return from[m.IntN(len(from))] }

// oneIn reports true one time in n.
func (m *commandMaker) oneIn(n int) bool { return m.IntN(n) == 0 }

// makers make one command each. What stands more often is made more often.
var makers = []func(m *commandMaker, key string) string{
	makeMetaGet, makeMetaGet, makeMetaGet, makeMetaSet, makeMetaSet, makeMetaSet, makeMetaDelete, makeMetaArithmetic, makeMetaArithmetic, makeMetaDebug,
	makeGet, makeGet, makeUpdate, makeUpdate, makeUpdate, makeLarge, makeDelete, makeArithmetic, makeArithmetic, makeTouch,
	makeBroken, makeBroken, makeOther,
}

// name returns the word for a key in a meta command, and the flag that goes
// with it: now and then it is in base64.
func (m *commandMaker) name(key string) (word, flag string) {
	switch m.IntN(12) {
	case 0:
		return base64.StdEncoding.EncodeToString([]byte(key)), "b"
	case 1:
		return pick(m, []string{"YQ==", "YR==", "Y*Q=!=", "YWI=YWI=", "AAEC/w==", "YQ", "====", "a===", "*", "=YWI"}), "b"
	case 2:
		return pick(m, []string{strings.Repeat("k", 251), strings.Repeat("k", 300), "\x01\xff", "k\r"}), ""
	default:
		return key, ""
	}
}

// flags returns words for a meta command, each at most once unless it is one of
// the broken ones.
func (m *commandMaker) flags(key, first string, from []string) string {
	var words []string
	if first != "" {
		words = append(words, first)
	}
	for _, i := range m.Perm(len(from))[:m.IntN(min(len(from), 7))] {
		words = append(words, m.flag(key, from[i]))
	}
	if m.oneIn(40) {
		words = append(words, pick(m, []string{"v", "c", "Z", "E5", "x1", "~", "\x7f", "\xff", "S5", "b", "MS", "M", "MSS", "Fx", "F-1", "Tx", "T", "Cx", "C-1", "Dx", "D-2", "Jx", "Nx", "Rx", "O" + strings.Repeat("o", 32), "O" + strings.Repeat("o", 40), "P", "Lx"}))
	}
	if m.oneIn(200) {
		words = append(words, strings.Fields("b c f h k l O q s t u v I P L T900 N900 R9 F9 C9 M9 J9 D9")[:m.IntN(23)]...)
	}
	if len(words) == 0 {
		return ""
	}
	return " " + strings.Join(words, pick(m, []string{" ", " ", " ", "  "}))
}

func (m *commandMaker) flag(key, name string) string {
	switch name {
	case "O":
		return "O" + strings.Repeat("o", m.IntN(31)) + fmt.Sprint(m.IntN(10))
	case "T", "N":
		return name + m.ttl()
	case "R":
		// Never near a time left that ttl makes: a tick would decide.
		return "R" + pick(m, []string{"0", "-1", "100", "50000", "2000000", "2592001", "2147000000"})
	case "C":
		return "C" + m.casOf(key)
	case "F":
		return "F" + m.clientFlags()
	case "D", "J":
		return name + m.number()
	default:
		return name
	}
}

func (m *commandMaker) casOf(key string) string {
	switch m.IntN(5) {
	case 0:
		return pick(m, []string{"0", "1", "2", "99999999999", "18446744073709551615", "18446744073709551616"})
	case 1:
		return m.cas[pick(m, makerKeys)]
	default:
		if m.cas[key] == "" {
			return "0"
		}
		return m.cas[key]
	}
}

// ttl never ends within the test, unless it has ended already.
func (m *commandMaker) ttl() string {
	const month = 30 * 24 * 60 * 60
	switch m.IntN(14) {
	case 0:
		return fmt.Sprint(time.Now().Unix() + 1000 + m.Int64N(1000))
	case 1:
		return pick(m, []string{"+500", "0500", "4294967796", "-4294966796", "\t500", "500\t"})
	default:
		return pick(m, []string{"0", "0", "-1", "-2147483648", "1000", "100000", fmt.Sprint(month - 1), fmt.Sprint(month), fmt.Sprint(month + 1), "2147483647"})
	}
}

func (m *commandMaker) clientFlags() string {
	return pick(m, []string{"0", "0", "1", "7", "65536", "2147483648", "4294967295", "4294967296", "4294967297", "+3"})
}

func (m *commandMaker) number() string {
	return pick(m, []string{"0", "1", "2", "5", "10", "95", "1000", "+4", "007", "99999999999", "-18446744073709551615", "-0"})
}

// value is short enough to be taken for a command, where a line was refused.
// No number reaches 2^63: see TestNodeCountsAsMemcachedDoes.
func (m *commandMaker) value(key string) string {
	if strings.HasPrefix(key, "n") && !m.oneIn(6) {
		return pick(m, []string{"0", "1", "9", "10", "99", "100", "007", "12345", "5 ", "9999999999", "+5", "99999999999999999999"})
	}
	return pick(m, []string{"", "x", "value", "12abc", "1 2", "\x00\x01\xff", "line\r\nline", "END", text(m, m.IntN(100)), text(m, m.IntN(1000))})
}

// large is a value above what comes at once, up to a little too much.
func (m *commandMaker) large(key string) string {
	switch m.IntN(20) {
	case 0, 1:
		return text(m, 1<<20-62-len(key)+m.IntN(8)) // about the largest
	case 2, 3:
		return text(m, 100_000+m.IntN(900_000))
	case 4:
		return text(m, 1<<20+m.IntN(1<<20))
	default:
		return text(m, 1000+m.IntN(20_000))
	}
}

// text returns length letters.
func text(m *commandMaker, length int) string {
	return strings.Repeat(string(rune('a'+m.IntN(26))), length)
}

func (m *commandMaker) block(key string) (length int, block string) {
	value := m.value(key)
	if m.oneIn(30) {
		// A block of another length than was said. What is left of it, or what is
		// taken from the next line, is whole again after the second line end.
		return len(value), value + pick(m, []string{"x\r\n", "\n\r\n", "xx\r\nversion\r\n", "\r\r\n"})
	}
	return len(value), value + "\r\n"
}

func (m *commandMaker) noreply() string {
	return pick(m, []string{"", "", "", "", " noreply"})
}

func (m *commandMaker) end() string {
	return pick(m, []string{"\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", " \r\n", "  \r\n"})
}
