package tomcat

import (
	"fmt"
	"strings"
	"testing"
)

const msm = `className="de.javakaffee.web.msm.MemcachedBackupSessionManager" memcachedNodes="n1:a:1,n2:b:2" `

// msmContext is a context.xml whose Manager has attributes.
func msmContext(attributes string) string {
	return "<Context><Manager " + msm + attributes + "/></Context>"
}

func TestManagerIsFoundWhereverItStands(t *testing.T) {
	two := `<Server><Service><Engine jvmRoute="r1"><Host name="h1"><Context path="/a"><Manager ` + msm + `sticky="false"/></Context>
		<Context path="/b"><Manager ` + msm + `sticky="true"/></Context></Host></Engine></Service></Server>`
	hosts := `<Engine><Host name="h1"><Context path="/a"><Manager ` + msm + `sticky="false"/></Context></Host>
		<Host name="h2"><Context path="/a"><Manager ` + msm + `sticky="true"/></Context></Host></Engine>`
	rows := []struct{ content, context, want string }{
		{msmContext(""), "", "sticky=true"},
		{msmContext(""), "/shop", "sticky=true"},
		{`<Manager ` + msm + `sticky="false"/>`, "", "sticky=false"},
		{`<Host><Context path=""><Manager ` + msm + `sticky="false"/></Context></Host>`, "/", "sticky=false"},
		{`<Host><DefaultContext useHttpOnly="false"><Manager ` + msm + `/></DefaultContext></Host>`, "/any", "cookie-allow-script=true"},
		{two, "/a", "sticky=false"},
		{two, "/b/", "sticky=true"},
		{two, "/b", "route=r1"},
		{hosts, "h1/a", "sticky=false"},
		{hosts, "h2/a", "sticky=true"},
		{`<Engine jvmRoute="r1"><Context><Manager ` + msm + `><SessionIdGenerator jvmRoute="r2"/></Manager></Context></Engine>`, "", "route=r2"},
		{`<Context><!-- <Manager className="x"/> --><Manager ` + msm + `/></Context>`, "", "sticky=true"},
		{`<?xml version="1.0"?><c:Context xmlns:c="urn:x"><Manager ` + msm + `/></c:Context>`, "", "sticky=true"},
	}
	for _, row := range rows {
		config, err := ReadFile(xmlFile(t, row.content), row.context)
		if err != nil {
			t.Errorf("%s of %s: got error %v", row.context, row.content, err)
		} else if got := settingsOf(config); !strings.Contains(got, row.want+" ") {
			t.Errorf("%s of %s: got %s, want %s", row.context, row.content, got, row.want)
		}
	}
}

func settingsOf(config Config) string {
	var out strings.Builder
	for _, s := range config.Settings {
		fmt.Fprintf(&out, "%s=%s ", s.Flag, s.Value)
	}
	return out.String()
}

func TestAttributesBecomeSettings(t *testing.T) {
	const quiet = `sticky="false" `
	rows := []struct{ attributes, want string }{ // beside nodes
		{quiet, "sticky=false"},
		{quiet + `maxInactiveInterval="60"`, "sticky=false idle-timeout=60s"},
		{quiet + `maxInactiveInterval="-1"`, "sticky=false idle-timeout=0s"},
		{quiet + `lockingMode="ALL" operationTimeout="700"`, "sticky=false locking=ALL lock-wait=700ms operation-timeout=700ms"},
		{quiet + `operationTimeout="300"`, "sticky=false operation-timeout=300ms"},
		{quiet + `operationTimeout="300" sessionBackupTimeout="800"`, "sticky=false operation-timeout=800ms"},
		{quiet + `sessionBackupTimeout="100"`, "sticky=false"},
		{quiet + `lockExpiration="7"`, "sticky=false lock-lease=7s"},
		{quiet + `maxActiveSessions="5"`, "sticky=false"},
		{quiet + `sessionBackupAsync="true"`, "sticky=false"},
		{quiet + `failoverNodes=" "`, "sticky=false"},
		{quiet + `requestUriIgnorePattern=""`, "sticky=false"},
		{quiet + `sessionAttributeFilter=" "`, "sticky=false"},
		{quiet + `storageKeyPrefix="static:a,static:b"`, "sticky=false namespace=a:b"},
		{quiet + `storageKeyPrefix="webappVersion"`, "sticky=false namespace=2"},
		{quiet + `storageKeyPrefix="context,webappVersion"`, "sticky=false namespace=/shop##2:2"},
		{quiet + `storageKeyPrefix="context.hash"`, "sticky=false namespace=" + hashOfShop},
		{`maxActiveSessions="5"`, "sticky=true max-sessions=5"},
		{`maxActiveSessions="-1"`, "sticky=true"},
		{`sticky="TRUE" sessionBackupAsync="false"`, "sticky=true backup-async=false"},
		{`lockingMode="all" lockExpiration="3"`, "sticky=true"},
		{`sessionAttributeFilter="a|b"`, "sticky=true attribute-filter=a|b"},
		{`username="u" password="p"`, "sticky=true"},
		{`username="u" memcachedProtocol="binary"`, "sticky=true"},
		{`username="u" password="p" memcachedProtocol="binary"`, "sticky=true node-user=u node-password=p"},
	}
	for _, row := range rows {
		config, err := ReadFile(xmlFile(t, msmContext(row.attributes)), "/shop##2")
		if err != nil {
			t.Errorf("%s: got error %v", row.attributes, err)
			continue
		}
		wantSettings(t, config, row.want+" nodes=n1:a:1,n2:b:2")
	}
}

const hashOfShop = "8949b5ec" // the beginning of the SHA-256 of "/shop##2"

func TestTomcatsOwnManagersAreSticky(t *testing.T) {
	rows := []struct{ manager, want string }{
		{`<Manager maxActiveSessions="7"/>`, "max-sessions=7 sticky=true"},
		{`<Manager className="org.apache.catalina.session.StandardManager" pathname=""/>`, "sticky=true"},
		{`<Manager className="org.apache.catalina.session.PersistentManager" maxIdleSwap="60" saveOnRestart="false"><Store className="org.apache.catalina.session.FileStore" directory="x"/></Manager>`, "max-idle-swap=60s sticky=true"},
		{`<Manager className="org.apache.catalina.session.PersistentManager" maxIdleSwap="-1"/>`, "sticky=true"},
	}
	for _, row := range rows {
		config, err := ReadFile(xmlFile(t, "<Context>"+row.manager+"</Context>"), "")
		if err != nil {
			t.Errorf("%s: got error %v", row.manager, err)
			continue
		}
		wantSettings(t, config, row.want)
	}
}

func TestWrongFilesAreRefused(t *testing.T) {
	rows := []struct{ content, context, want string }{
		{"", "", "want one outermost element"},
		{"<Context>", "", "unexpected EOF"},
		{"<Context/>", "", "there is no <Manager>"},
		{"<Context><!-- <Manager/> --></Context>", "", "comments do not count"},
		{"<Context>\n<manager/></Context>", "", "line 2: <manager> means nothing"},
		{"<Context/><Context/>", "", "want one outermost element"},
		{`<?xml version="1.0" encoding="EUC-JP"?><Context/>`, "", "save the file as UTF-8"},
		{msmContext(`sticky="true" sticky="false"`), "", "two attributes sticky"},
		{msmContext(`stikcy="true"`), "", "Manager stikcy: unknown attribute; did you mean sticky?"},
		{msmContext(`sessionBackupAsnyc="true"`), "", "did you mean sessionBackupAsync?"},
		{msmContext(`flavour="x"`), "", "Manager flavour: unknown attribute"},
		{msmContext(`maxIdleSwap="1"`), "", "is a setting of PersistentManager, but this is the Memcached"},
		{`<Manager memcachedNodes="n1:a:1"/>`, "", "has memcachedNodes but no className"},
		{`<Manager className="de.javakaffee.web.msm.DummyMemcachedBackupSessionManager"/>`, "", "only the settings of Memcached"},
		{`<Context sessionCookiename="x"><Manager ` + msm + `/></Context>`, "", "did you mean sessionCookieName?"},
		{`<Context><CookieProcessor sameSiteCookie="lax"/><Manager ` + msm + `/></Context>`, "", "did you mean sameSiteCookies?"},
		{`<Engine jvmRoute="${route}"><Manager ` + msm + `/></Engine>`, "", "write the value itself"},
		{msmContext(`enabled="false"`), "", "leave the session manager out"},
		{msmContext(`sticky="false" sessionAttributeFilter="a"`), "", "would vanish"},
		{msmContext(`sessionAttributeFilter="a" sessionAttributeNameFilter="b"`), "", "sessionAttributeNameFilter too"},
		{msmContext(`copyCollectionsForSerialization="true"`), "", "unless the transcoder is Kryo"},
		{msmContext(`customConverter="a.B"`), "", "unless the transcoder is Kryo"},
		{msmContext(`storageKeyPrefix="host"`), "", "does not say the host"},
		{msmContext(`storageKeyPrefix="context"`), "", "does not say the context"},
		{msmContext(`storageKeyPrefix="context, host"`), "/shop", "separated by commas only"},
		{msmContext(`lockingMode="uri_pattern"`), "", "never worked"},
		{msmContext(`lockingMode="uripattern:x"`), "", "want none, all"},
		{msmContext(`lockExpiration="0"`), "", "above zero"},
		{msmContext(`maxActiveSessions="0"`), "", "refuses every session"},
		{msmContext(`backupThreadCount="-1"`), "", "from 1 on"},
		{`<Manager className="de.javakaffee.web.msm.MemcachedBackupSessionManager" memcachedNodes="http://a:8091/pools"/>`, "", "http://… is no memcached"},
		{`<Manager className="de.javakaffee.web.msm.MemcachedBackupSessionManager" memcachedNodes=" "/>`, "", "write name:host:port"},
		{`<Host><Context path="/a"><Manager/></Context><Context path="/b"><Manager/></Context></Host>`, "", "choose one with --context: /a (line 1), /b (line 1)"},
		{`<Host><Context path="/a"><Manager/></Context><Context path="/b"><Manager/></Context></Host>`, "/c", "--context /c: no <Manager> serves it"},
		{`<Engine><Host name="h"><Context path=""><Manager/></Context></Host><Host name="i"><Context path="/"><Manager/></Context></Host></Engine>`, "/", "choose one of h/ (line 1), i/ (line 1)"},
	}
	for _, row := range rows {
		path := xmlFile(t, row.content)
		_, err := ReadFile(path, row.context)
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: got error %v, want one with %q that names the file", row.content, err, row.want)
		}
	}
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := ReadFile(xmlFile(t, msmContext(`sticky="1" enabled="no" lockingMode="x"`)), "")
	if got := strings.Count(fmt.Sprint(err), "\n"); got != 2 {
		t.Errorf("got %d line ends in %v, want 2: three errors", got, err)
	}
}

func TestAttributesThatAreNotAboutSessionsPass(t *testing.T) {
	content := `<Context docBase="x" reloadable="true" path="/" somethingOfAnotherValve="1" allowLinking="${x}"><Manager ` + msm + `sticky="false"/></Context>`
	config, err := ReadFile(xmlFile(t, content), "")
	if err != nil {
		t.Fatal(err)
	}
	wantSettings(t, config, "sticky=false nodes=n1:a:1,n2:b:2")
}

func TestDefaultsThatDifferAreNoted(t *testing.T) {
	config, err := ReadFile(xmlFile(t, msmContext("")), "/shop")
	if err != nil {
		t.Fatal(err)
	}
	wantNotes(t, config, "sessionBackupAsync is not set", "no jvmRoute", "not only to /shop", "not JSESSIONID")
}

func TestNamesOfMSMHaveItsUnitsAndHoldfastsDefaults(t *testing.T) {
	config, err := FromNames("f.toml", map[string]string{"maxInactiveInterval": "60", "sessionBackupAsync": "true", "lockingMode": "auto"})
	if err != nil {
		t.Fatal(err)
	}
	wantSettings(t, config, "idle-timeout=60s locking=auto")
	wantNotes(t, config, "sessionBackupAsync: has no effect without sticky")
	_, err = FromNames("f.toml", map[string]string{"operationTimeout": "1s"})
	if got, want := fmt.Sprint(err), `f.toml: operationTimeout: want a whole number, not "1s"`; got != want {
		t.Errorf("got error %s, want %s", got, want)
	}
}

func TestEveryAttributeIsThereOnce(t *testing.T) {
	seen := map[key]bool{}
	for _, a := range Attributes() {
		if k := (key{a.Element, a.Name}); seen[k] {
			t.Errorf("%s %s is twice in the table", a.Element, a.Name)
		} else {
			seen[k] = true
		}
	}
}

func FuzzContextXML(f *testing.F) {
	f.Add(msmContext(`sticky="false" lockingMode="uriPattern:GET /.*" storageKeyPrefix="context.hash"`), "/a")
	f.Add(`<Server><Engine jvmRoute="a"><Host name="h"><Context path="/a"><Manager/></Context></Host></Engine></Server>`, "h/a")
	f.Add(`<?xml version="1.0" encoding="ISO-8859-1"?><Context><Manager className="org.apache.catalina.session.PersistentManager"><Store/></Manager></Context>`, "")
	f.Fuzz(func(t *testing.T, content, context string) {
		config, err := read("f", content, context)
		if err != nil && err.Error() == "" {
			t.Error("got an error that says nothing")
		}
		for _, s := range config.Settings {
			if err == nil && (s.Flag == "" || !strings.HasPrefix(s.Origin, "f: ")) {
				t.Errorf("got setting %+v, want one with a flag and a place", s)
			}
		}
	})
}

func FuzzCompilePattern(f *testing.F) {
	for _, java := range []string{`.*\.(ico|png)$`, `(?i)[a-c&&b]`, `\Qa\E{2}`, `[^]\x41-\p{L}]`, `(?s-i:a)++`} {
		f.Add(java)
	}
	f.Fuzz(func(t *testing.T, java string) {
		re, err := CompilePattern(java)
		if (re == nil) == (err == nil) {
			t.Errorf("%q: got %v and error %v, want one of them", java, re, err)
		}
		if err == nil {
			doubts(java, re)
		}
	})
}
