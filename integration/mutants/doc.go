// The mutants command shows that the drills would notice: it breaks the product in
// one small way after the other, each a patch in this directory, and runs the tests
// that must fail then.
//
//	go run ./integration/mutants              # all
//	go run ./integration/mutants -list        # their names, and what they break
//	go run ./integration/mutants -only epoch  # those whose name matches
//
// A patch begins with a line that says which promise it breaks, and names its drills:
//
//	Drills: ./placement TestStorms; ./sticky TestStorms/moves_true
//
// The tree is never touched: patched copies take the place of files while a test is
// built (go help build, -overlay). The run fails if a mutant survives all of its
// drills, does not build, or does not apply any more; and if a drill fails, or runs
// nothing, without any mutant. A drill that takes longer than -timeout says nothing.
package main
