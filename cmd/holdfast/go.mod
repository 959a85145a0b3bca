module github.com/holdfast-sessions/holdfast/cmd/holdfast

go 1.26

require (
	github.com/BurntSushi/toml v1.6.0
	github.com/alecthomas/kong v1.17.0
	github.com/anishathalye/porcupine v1.3.1
	github.com/holdfast-sessions/holdfast v0.1.0
)
