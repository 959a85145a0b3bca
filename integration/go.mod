module github.com/holdfast-sessions/holdfast/integration

go 1.26

require github.com/holdfast-sessions/holdfast v0.1.0

require github.com/coder/websocket v1.8.15

replace github.com/holdfast-sessions/holdfast => ../
