package holdfast_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers says which packages of ours each package may import, from the top of
// a request's path to the bottom: the architecture, as a test. A test file may
// import what its package may, and what testLayers adds.
var layers = map[string]string{
	"examples/*":              ". store store/memorystore store/memcachedstore",
	"holdfasttest":            ". store store/memorystore store/faultstore store/memcachedstore node",
	".":                       "deadline record recent store sticky lock placement store/memorystore",
	"sticky":                  "deadline record store turns",
	"lock":                    "store turns",
	"placement":               "deadline record recent store turns placement/health",
	"placement/health":        "",
	"placement/protocolmodel": "",
	"store/faultstore":        "store store/memorystore",
	"store/memcachedstore":    "store",
	"store/memorystore":       "store",
	"store/storetest":         "store",
	"store":                   "record",
	"record":                  "",
	"recent":                  "",
	"turns":                   "",
	"deadline":                "",
	"node":                    "",
}

// testLayers is what test files may import beside that: each package may be
// tested from outside of itself, and the contract's suite on any store.
var testLayers = map[string]string{
	"*":                    "store/storetest store/memorystore store/faultstore",
	".":                    "holdfasttest",
	"examples/*":           "holdfasttest",
	"node":                 "store store/memcachedstore",
	"store/memcachedstore": "node",
	"sticky":               "placement",
}

// commandLayers holds for the module cmd/holdfast, which may also use what
// others wrote.
var commandLayers = map[string]string{
	"cmd/holdfast":          ". store store/memcachedstore node cmd/holdfast/demo cmd/holdfast/drill cmd/holdfast/staging cmd/holdfast/tomcat cmd/holdfast/spelling",
	"cmd/holdfast/tomcat":   "cmd/holdfast/spelling",
	"cmd/holdfast/spelling": "",
	"cmd/holdfast/demo":     ". cmd/holdfast/ledger cmd/holdfast/rig",
	"cmd/holdfast/drill":    ". cmd/holdfast/ledger cmd/holdfast/rig",
	"cmd/holdfast/history":  "",
	"cmd/holdfast/staging":  ". cmd/holdfast/history cmd/holdfast/ledger cmd/holdfast/rig",
	"cmd/holdfast/ledger":   ". cmd/holdfast/rig",
	"cmd/holdfast/rig":      ". store store/memcachedstore node",
}

const modulePath = "github.com/holdfast-sessions/holdfast"

// goPackage is what this test needs of the answer of go list.
type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestImportsFollowTheRequestPath(t *testing.T) {
	for _, p := range listPackages(t, "./...") {
		name := relative(p.ImportPath)
		allowed, known := lookUp(layers, name)
		if !known {
			t.Errorf("package %s is in no layer: add it to layers", name)
			continue
		}
		checkImports(t, name, p.Imports, allowed)
		inTests := slices.Concat(p.TestImports, p.XTestImports)
		own, _ := lookUp(testLayers, name)
		checkImports(t, name+" (tests)", inTests, allowed+" "+own+" "+testLayers["*"]+" "+name)
		checkNoThirdParty(t, name, slices.Concat(p.Imports, inTests))
	}
}

func TestCommandImportsOnlyWhatItComposes(t *testing.T) {
	if work := goEnv(t, "GOWORK"); work == "" || work == "off" {
		t.Skip("the command is a module of its own, seen only from the workspace")
	}
	for _, p := range listPackages(t, "./cmd/holdfast/...") {
		name := relative(p.ImportPath)
		allowed, known := lookUp(commandLayers, name)
		if !known {
			t.Errorf("package %s is in no layer: add it to commandLayers", name)
			continue
		}
		checkImports(t, name, p.Imports, allowed)
	}
}

func TestLayersNameOnlyWhatExists(t *testing.T) {
	var names []string
	for _, p := range listPackages(t, "./...") {
		names = append(names, relative(p.ImportPath))
	}
	for layer := range layers {
		if !slices.ContainsFunc(names, func(name string) bool { return matches(layer, name) }) {
			t.Errorf("layers has %s, and there is no such package: take it out", layer)
		}
	}
}

// listPackages asks the go command, which knows build constraints and test
// files better than a parser of ours.
func listPackages(t *testing.T, pattern string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", pattern)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatalf("%v finds no package", cmd)
	}
	return all
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func checkImports(t *testing.T, name string, imports []string, allowed string) {
	t.Helper()
	for _, imp := range imports {
		if ours(imp) && !permits(allowed, relative(imp)) {
			t.Errorf("%s may not import %s: see layers", name, relative(imp))
		}
	}
}

func checkNoThirdParty(t *testing.T, name string, imports []string) {
	t.Helper()
	for _, imp := range imports {
		if !ours(imp) && !standard(imp) {
			t.Errorf("%s imports %s: the root module has no third-party imports, tests included", name, imp)
		}
	}
}

func ours(path string) bool {
	return path == modulePath || strings.HasPrefix(path, modulePath+"/")
}

// standard is true for packages of the standard library: no dot in the first
// element of the path.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func relative(path string) string {
	if path == modulePath {
		return "."
	}
	return strings.TrimPrefix(path, modulePath+"/")
}

// lookUp finds the row of a package: its own, or that of a folder of it that
// ends in /*.
func lookUp(table map[string]string, name string) (string, bool) {
	if row, ok := table[name]; ok {
		return row, true
	}
	for key, row := range table {
		if strings.HasSuffix(key, "/*") && matches(key, name) {
			return row, true
		}
	}
	return "", false
}

func permits(allowed, name string) bool {
	return slices.ContainsFunc(strings.Fields(allowed), func(f string) bool { return matches(f, name) })
}

func matches(pattern, name string) bool {
	if folder, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(name, folder+"/")
	}
	return pattern == name
}
