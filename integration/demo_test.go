package integration

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/holdfast-sessions/holdfast/integration/servers"
)

// The demo's page in Chromium: somebody adds an attribute, kills the app server that
// answered and then the session's home, and has the attribute still, while nobody of
// the simulated users misses anything. With HOLDFAST_SCREENSHOTS=FOLDER each of the
// visits leaves a picture there.
func TestDemoPageKeepsASessionThroughFaults(t *testing.T) {
	site := startDemo(t)
	browser := startChromium(t)
	for _, v := range []visit{
		{name: "desktop-light", width: 1280, height: 900, mode: "non_sticky"},
		{name: "desktop-dark", width: 1280, height: 900, dark: true, mode: "sticky_sync"},
		{name: "phone", width: 360, height: 740, mode: "sticky_async"},
	} {
		t.Run(v.name, func(t *testing.T) { v.play(t, browser, site) })
	}
}

func TestDemoPageWithMemcachedProcesses(t *testing.T) {
	servers.StartMemcached(t) // skips or fails where there is none
	site := startDemo(t, "--memcached")
	visit{name: "memcached", width: 1280, height: 900, mode: "non_sticky"}.play(t, startChromium(t), site)
}

// startDemo returns the URL of a demo that must end cleanly with the test.
func startDemo(t *testing.T, flags ...string) string {
	t.Helper()
	path, err := buildCommand()
	if err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	ready := func() error {
		res, err := http.Get("http://" + addr + "/")
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	p := servers.NewProcess(t, ready, path, append([]string{"demo", "--listen", addr}, flags...)...)
	p.Start()
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("the demo did not end cleanly: %v\n%s", err, p.Output())
		}
	})
	return "http://" + addr + "/"
}

// startChromium returns a chromedp context of a browser for all visits.
func startChromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	switch {
	case err == nil:
	case os.Getenv("HOLDFAST_REQUIRE_SERVERS") != "":
		t.Fatalf("%v: install Debian's package chromium", err)
	default:
		t.Skipf("%v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	browser, cancelBrowser := chromedp.NewContext(allocator)
	t.Cleanup(cancelBrowser)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return browser
}

// A visit is one person's, with a browser without cookies.
type visit struct {
	name          string
	width, height int64
	dark          bool
	mode          string

	t   *testing.T
	ctx context.Context
}

func (v visit) play(t *testing.T, browser context.Context, site string) {
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	defer cancel()
	v.t, v.ctx = t, ctx
	v.do("a tab", chromedp.EmulateViewport(v.width, v.height), v.colours())
	complaints := v.listen()
	v.do("load the page", chromedp.Navigate(site))
	v.until("the session is begun", `document.querySelector("[data-mine=home]") && document.querySelector("[data-mine=copy]")`)
	v.choose()
	v.press("#load")
	v.until("users are at work", `/^[1-9].* answers compared/.test(document.getElementById("load-text").textContent)`)
	v.set("colour", "teal")
	server := v.kill("server")
	v.until("another server answers", fmt.Sprintf(`document.querySelector("[data-mine=server]").id != %q`, server))
	home := v.kill("home")
	v.set("size", "42") // in sticky modes nothing asks the nodes before there is a change
	v.until("the session has another home", fmt.Sprintf(`document.querySelector("[data-mine=home]").id != %q`, home))
	v.until("the page says so", fmt.Sprintf(`document.getElementById("log").textContent.includes("%s died; your session")`, home))
	v.wantAllThere()
	v.picture()
	v.press("#" + server + " [data-what=revive]")
	v.press("#" + home + " [data-what=revive]")
	v.until("all is as before", `document.querySelectorAll(".part[data-state=up]").length == 6`)
	v.wantAllThere()
	v.press("#load")
	v.until("the users have left", `document.getElementById("load").textContent == "Start"`)
	for _, text := range complaints() {
		t.Errorf("the browser complains: %s", text)
	}
}

func (v visit) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	if err := chromedp.Do(v.ctx, actions...); err != nil {
		v.t.Fatalf("%s: %v", what, err)
	}
}

func (v visit) colours() chromedp.Action[chromedp.Void] {
	scheme := map[bool]string{false: "light", true: "dark"}[v.dark]
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// listen returns what tells, later, all that went to the browser's console: errors,
// and what a content security policy or the network refused.
func (v visit) listen() func() []string {
	messages := chromedp.Console(v.ctx)
	heard := make(chan string, 100)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			heard <- fmt.Sprintf("%+v", m)
		}
	}()
	return func() (all []string) {
		v.do("a last mark", chromedp.Evaluate[chromedp.Void](`console.log("the end")`))
		for text := range heard {
			if strings.Contains(text, "the end") {
				return all
			}
			all = append(all, text)
		}
		return all
	}
}

// until waits for a JavaScript expression to hold.
func (v visit) until(what, expression string) {
	v.t.Helper()
	poll := chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(30*time.Second))
	if _, err := chromedp.Run(v.ctx, poll); err != nil {
		story, _ := chromedp.Run(v.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		v.t.Fatalf("waiting until %s: %v; the page:\n%s", what, err, story)
	}
}

func (v visit) text(expression string) string {
	v.t.Helper()
	s, err := chromedp.Run(v.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		v.t.Fatalf("%s: %v", expression, err)
	}
	return s
}

func (v visit) press(selector string) {
	v.t.Helper()
	v.do("press "+selector, chromedp.Click(chromedp.CSS(selector)))
}

func (v visit) choose() {
	v.t.Helper()
	v.until("the mode is known", `!document.getElementById("mode").disabled`)
	v.press("#mode label:has([value=" + v.mode + "])")
	v.until("the mode is "+v.mode, fmt.Sprintf(`!document.getElementById("mode").disabled && document.querySelector("#mode :checked").value == %q`, v.mode))
}

// set adds an attribute and waits until it is shown.
func (v visit) set(name, value string) {
	v.t.Helper()
	v.do("set "+name, chromedp.SendKeys(chromedp.CSS("#name"), name), chromedp.SendKeys(chromedp.CSS("#value"), value+"\n"))
	v.until(name+" is shown", fmt.Sprintf(`%s == %q`, attribute(name), value))
}

// attribute is the expression for the value that the page shows of an attribute.
func attribute(name string) string {
	return fmt.Sprintf(`([...document.querySelectorAll("#attributes tr")].find((tr) => tr.querySelector("th").textContent == %q)?.querySelector("td").textContent ?? "")`, name)
}

// kill kills the part that is this to the session, and returns its name.
func (v visit) kill(mine string) string {
	v.t.Helper()
	name := v.text(`document.querySelector("[data-mine=` + mine + `]").id`)
	v.press("#" + name + " [data-what=kill]")
	v.until(name+" is dead", fmt.Sprintf(`document.getElementById(%q).dataset.state == "dead"`, name))
	return name
}

// wantAllThere checks what was promised, and that the page fits its window.
func (v visit) wantAllThere() {
	v.t.Helper()
	for name, want := range map[string]string{"colour": "teal", "size": "42", "visits": "1"} {
		if got := v.text(attribute(name)); got != want {
			v.t.Errorf("attribute %s: got %q, want %q", name, got, want)
		}
	}
	for _, id := range []string{"lost-sessions", "lost-updates", "doubled"} {
		if got := v.text(`document.getElementById("` + id + `").textContent`); got != "0" {
			v.t.Errorf("%s: got %s, want 0", id, got)
		}
	}
	if over := v.text(`String(document.documentElement.scrollWidth - document.documentElement.clientWidth)`); over != "0" {
		v.t.Errorf("the page is %s pixels wider than its window", over)
	}
}

func (v visit) picture() {
	v.t.Helper()
	folder := os.Getenv("HOLDFAST_SCREENSHOTS")
	if folder == "" {
		return
	}
	time.Sleep(40 * time.Second) // for a plot with something in it
	v.do("show the top", chromedp.Evaluate[chromedp.Void](`document.activeElement.blur(); scrollTo(0, 0)`))
	image, err := chromedp.Run(v.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "demo-"+v.name+".png"), image, 0o644); err != nil {
		v.t.Fatal(err)
	}
}
