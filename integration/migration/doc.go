// Package migration holds, as tests, the programs for other session libraries that
// docs/from-scs.md and docs/from-gorilla.md begin with, and what those documents
// say of these libraries.
package migration
