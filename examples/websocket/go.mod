module github.com/holdfast-sessions/holdfast/examples/websocket

go 1.26

require (
	github.com/coder/websocket v1.8.15
	github.com/holdfast-sessions/holdfast v0.1.0
)

replace github.com/holdfast-sessions/holdfast => ../..
