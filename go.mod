module github.com/holdfast-sessions/holdfast

go 1.26
