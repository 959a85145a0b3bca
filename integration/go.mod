module github.com/holdfast-sessions/holdfast/integration

go 1.26

require (
	github.com/holdfast-sessions/holdfast v0.1.0
	github.com/holdfast-sessions/holdfast/cmd/holdfast v0.1.0
)

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/bradfitz/gomemcache v0.0.0-20260422231931-4d751bb6e37c
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.22.1
	github.com/coder/websocket v1.8.15
	github.com/gorilla/sessions v1.4.0
)

require (
	github.com/anishathalye/porcupine v1.3.1 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/gorilla/securecookie v1.1.2 // indirect
)

replace github.com/holdfast-sessions/holdfast => ../

replace github.com/holdfast-sessions/holdfast/cmd/holdfast => ../cmd/holdfast
