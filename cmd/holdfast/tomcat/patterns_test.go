package tomcat

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPatternsMeanWhatTheyMeanInJava(t *testing.T) {
	rows := []struct {
		java         string
		matches, not string // texts, separated by blanks; "␣" is a blank, "" is none
	}{
		{`.*\.(ico|png)$`, "GET␣/a.png .ico", "a.png?v=1 apng a.png.x"},
		{`GET /path.*`, "GET␣/path GET␣/path/x", "POST␣/path /path"},
		{`/path1|/path2`, "/path1 /path2", "GET␣/path1 /path12"},
		{`a|b`, "a b", "ab xa bx"},
		{`^a$`, "a", "ba ab"},
		{`a\Z`, "a", "ab"},
		{`\Aa\z`, "a", "ab"},
		{`(?i)get.k`, "get␣k GET␣K Get/k", "get␣\u212a"},
		{`(?i)[a-c]+`, "aBC", "d"},
		{`(?i)[^k]`, "x \u212a", "k K"},
		{`a(?i)b|c`, "ab aB c C", "AB"},
		{`a(?i:b)c`, "abc aBc", "abC"},
		{`(a(?i)b)c`, "aBc", "aBC"},
		{`(?i)a(?-i)b`, "ab Ab", "aB"},
		{`(?s).`, "a \u0085", "ab"},
		{`(?d).`, "a \u0085", "ab"},
		{`.`, "a é", "\u0085 \u2028 ab"},
		{`(?m)^a$`, "a", "ab"},
		{`\s`, "␣ \v", "a"},
		{`\S+`, "a", "\v"},
		{`[\S]`, "a", "\v"},
		{`\h`, "␣ \u00a0 \u3000", "a \v"},
		{`\H`, "a \v", "␣ \u00a0"},
		{`\v`, "\v \u2028", "v ␣"},
		{`\V`, "v ␣", "\v \u2028"},
		{`\R`, "\v \u0085", "R"},
		{`\d+`, "09", "٣"},
		{`\D`, "٣ a", "0"},
		{`\w+`, "aZ_9", "é -"},
		{`\W`, "é -", "a"},
		{`\bab\b`, "ab", "abc"},
		{`a\Bb`, "ab", "a"},
		{`\e\a\t\cA`, "\x1b\a\t\x01", "ea"},
		{`\0101\x42\x{43}\u0044`, "ABCD", "0101"},
		{`\Qa.b*\E+`, "a.b* a.b**", "axb*"},
		{`\Qa.b`, "a.b", "axb"},
		{`[\Q]a^\E]+`, "]a^", "Q E"},
		{`[]a]+`, "]a", "b"},
		{`[^]a]`, "b", "] a"},
		{`[a-]+`, "a-", "b"},
		{`[-a]+`, "a-", "b"},
		{`[a^]+`, "a^", "b"},
		{`[a&b]+`, "a&b", "c"},
		{`[\d.]+`, "1.2", "a"},
		{`[\x41-\x43]`, "B", "D"},
		{`[a-z-9]+`, "b-9", "8"},
		{`\p{Lower}\p{Alpha}\p{XDigit}`, "aZf", "Aaa aag éaa"},
		{`\P{Lower}`, "A é", "a"},
		{`[^\p{Lower}]`, "A", "a"},
		{`\p{L}\pL\p{IsL}\p{IsGreek}`, "éééα", "éééé"},
		{`a{2}b{1,}c{0,1}`, "aabbc aab", "ab"},
		{`a*?b+?`, "aabb b", "a"},
		{`(?<name>a)\)`, "a)", "a"},
		{`a]b}`, "a]b}", "ab"},
		{`\.\-\/\_\#`, ".-/_#", "a"},
		{`()|a`, "a ", "b"},
	}
	for _, row := range rows {
		re, err := CompilePattern(row.java)
		if err != nil {
			t.Errorf("%s: got error %v", row.java, err)
			continue
		}
		for text, want := range wanted(row.matches, row.not) {
			if got := re.MatchString(text); got != want {
				t.Errorf("%s matches %q: got %t, want %t", row.java, text, got, want)
			}
		}
	}
}

func wanted(matches, not string) map[string]bool {
	want := map[string]bool{}
	for text := range strings.SplitSeq(matches, " ") {
		want[strings.ReplaceAll(text, "␣", " ")] = true
	}
	for text := range strings.SplitSeq(not, " ") {
		want[strings.ReplaceAll(text, "␣", " ")] = false
	}
	return want
}

func TestPatternsRefusedSayWhatToWriteInstead(t *testing.T) {
	rows := []struct{ java, want string }{
		{`.*(?!\.png)$`, "list what shall match instead"},
		{`(?=a)a`, "looking ahead or behind"},
		{`(?<=a)b`, "looking ahead or behind"},
		{`(?<!a)b`, "looking ahead or behind"},
		{`(?>a|b)c`, "write (?:…)"},
		{`.*+png`, "write *,"},
		{`a{2}+`, "write {2},"},
		{`(a)\1`, "reference back"},
		{`(?<n>a)\k<n>`, "reference back"},
		{`[a-z&&[^b]]`, "[ac-z] for [a-z&&[^b]]"},
		{`[a&&b]`, "intersection"},
		{`[[a]b]`, "class inside a class"},
		{`[a[b]]`, "class inside a class"},
		{`[[:alpha:]]`, "class inside a class"},
		{`(?x)a b`, "leave it out, with the white space"},
		{`(?u)ä`, "[äÄ]"},
		{`(?U)\w`, "flag U"},
		{`(?P<n>a)`, `write \?`},
		{`\p{javaLowerCase}`, "[A-Za-z]"},
		{`\p{IsAlphabetic}`, "[A-Za-z]"},
		{`\p{InGreek}`, "[A-Za-z]"},
		{`\p{L`, "ends too early"},
		{`(?i)\p{Lu}`, "together with (?i)"},
		{`\X`, "leave out the backslash"},
		{`\G.*`, "leave out the backslash"},
		{`\i`, "leave out the backslash"},
		{`\E`, "leave out the backslash"},
		{`\b{g}`, "leave out the backslash"},
		{`[\b]`, `\b in a class`},
		{`\uD83D\uDE00`, "write the character itself"},
		{`\x4`, "write the character itself"},
		{`\x{41`, `\x{ without }`},
		{`\09`, "write the character itself"},
		{`*.png`, `write \*`},
		{`a|+`, `write \+`},
		{`{1}`, `write \{`},
		{`a{`, `write \{`},
		{`a{b}`, `write \{`},
		{`a**`, "two quantifiers in a row"},
		{`a{2}{3}`, "two quantifiers in a row"},
		{`a{1001}`, "Go can run"},
		{`(a`, `itself write \(`},
		{`a)`, `itself write \)`},
		{`[a`, "ends too early"},
		{`[]`, "ends too early"},
		{`[z-a]`, `write \-`},
		{`[a-\d]`, `write \-`},
		{`a\`, "ends too early"},
		{`(?<n`, "ends too early"},
		{`(?`, "ends too early"},
		{strings.Repeat("(", 1000), "simpler pattern"},
	}
	for _, row := range rows {
		if _, err := CompilePattern(row.java); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got error %v, want one with %q", row.java, err, row.want)
		}
	}
}

func TestPatternsThatMissRequestsAreDoubted(t *testing.T) {
	rows := []struct{ java, want string }{ // "": no doubt
		{`.*\.(icopnggifjpgcssjs)$`, `write .*\.(ico|png|gif|jpg|css|js)$`},
		{`.*\.pngjpg`, `write .*\.(png|jpg)`},
		{`.*[.](?:cssjs)`, `write .*[.](?:css|js)`},
		{`.*\.(ico|png|gif|jpg|css|js)$`, `write .*\.(ico|png|gif|jpg|css|js)(\?.*)?`},
		{`.*\.png|.*\.css`, `write (.*\.png|.*\.css)(\?.*)?`},
		{`.*\.(ico|png|gif|jpg|css|js)(\?.*)?`, ""},
		{`/path1|/path2`, "write [A-Z]+ (/path1|/path2)"},
		{`^/static/.*`, "write [A-Z]+ (/static/.*)"},
		{`\.png$`, `write .*(\.png$)`},
		{`get /.*`, "can never match"},
		{`GET path`, "can never match"},
		{`.*\n`, "can never match"},
		{`a.*$b`, "can never match"},
		{`GET /path.*`, ""},
		{`(GET|POST) /(a|b)`, ""},
		{`(?i)get /x`, ""},
		{`.*`, ""},
		{`\S+ /\bx.*`, ""},
		{`[A-Z]+ \*`, ""},
		{`.*\.do`, ""},
		{`.*\.woff2.*`, ""},
	}
	for _, row := range rows {
		p, err := NewRequestPattern(row.java)
		if err != nil {
			t.Errorf("%s: got error %v", row.java, err)
			continue
		}
		if got := strings.Join(p.Doubts, "; "); !strings.Contains(got, row.want) || (row.want == "") != (got == "") {
			t.Errorf("%s: got doubts %q, want %q", row.java, got, row.want)
		}
	}
}

func TestProposedPatternsCanMatch(t *testing.T) {
	for _, java := range []string{`.*\.(icopng)$`, `/a|/b`, `^/static/.*`, `\.png$`, `.*\.png|.*\.css$`} {
		p, err := NewRequestPattern(java)
		if err != nil {
			t.Fatal(err)
		}
		for _, doubt := range p.Doubts {
			_, proposed, found := strings.Cut(doubt, "write ")
			better, err := NewRequestPattern(proposed)
			if !found || err != nil || !canMatchRequest(better.regexp) {
				t.Errorf("%s: got doubt %q and error %v, want a proposal that can match", java, doubt, err)
			}
		}
	}
}

func TestRequestID(t *testing.T) {
	rows := []struct{ method, target, want string }{
		{"GET", "/a%20b/c;x=1?d=e&f", "GET /a%20b/c;x=1?d=e&f"},
		{"GET", "/a", "GET /a"},
		{"POST", "/a?b=c", "POST /a"},
		{"PUT", "/a?b=c", "PUT /a?b=c"},
		{"GET", "http://example.com/a%2Fb?c", "GET /a%2Fb?c"},
	}
	for _, row := range rows {
		if got := RequestID(httptest.NewRequest(row.method, row.target, nil)); got != row.want {
			t.Errorf("%s %s: got %q, want %q", row.method, row.target, got, row.want)
		}
	}
}

func TestRequestPatternMatchesTheWholeRequest(t *testing.T) {
	p, err := NewRequestPattern(`GET /a\.(png|css)`)
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]bool{"/a.png": true, "/a.css": true, "/a.png?v=1": false, "/b/a.png": false} {
		if got := p.Match(httptest.NewRequest("GET", target, nil)); got != want {
			t.Errorf("%s: got %t, want %t", target, got, want)
		}
	}
}
