package node

const (
	badLine  = "CLIENT_ERROR bad command line format"
	badToken = "CLIENT_ERROR bad token in command line format"
	badChunk = "CLIENT_ERROR bad data chunk"
	noNumber = "CLIENT_ERROR cannot increment or decrement non-numeric value"

	badFlags     = "CLIENT_ERROR invalid or duplicate flag"
	tooManyFlags = "CLIENT_ERROR options flags too long"
)

// A command is what one word does.
type command struct {
	least, most int // words of the line, the command itself included
	run         func(cl *client, words fields) error
}

const many = 1 << 30

// lookup returns the command that is called name.
func lookup(name []byte) (command, bool) {
	switch string(name) {
	case "mg":
		return command{2, many, metaCommand("CLIENT_ERROR options flags are too long", "", (*client).metaGet)}, true
	case "ms":
		return command{2, many, (*client).metaSet}, true
	case "md":
		return command{2, many, metaCommand(tooManyFlags, badFlags, (*client).metaDelete)}, true
	case "ma":
		return command{2, many, metaCommand(tooManyFlags, badFlags, (*client).metaArithmetic)}, true
	case "me":
		return command{1, many, (*client).metaDebug}, true
	case "mn":
		return command{1, many, say("MN")}, true
	case "get", "bget":
		return command{2, many, fetch(false, false)}, true
	case "gets":
		return command{2, many, fetch(true, false)}, true
	case "gat":
		return command{2, many, fetch(false, true)}, true
	case "gats":
		return command{2, many, fetch(true, true)}, true
	case "set":
		return command{5, 6, update(modeSet)}, true
	case "add":
		return command{5, 6, update(modeAdd)}, true
	case "replace":
		return command{5, 6, update(modeReplace)}, true
	case "append":
		return command{5, 6, update(modeAppend)}, true
	case "prepend":
		return command{5, 6, update(modePrepend)}, true
	case "cas":
		return command{6, 7, update(modeCAS)}, true
	case "delete":
		return command{2, 4, (*client).delete}, true
	case "incr":
		return command{3, 4, arithmetic(true)}, true
	case "decr":
		return command{3, 4, arithmetic(false)}, true
	case "touch":
		return command{3, 4, (*client).touch}, true
	case "flush_all":
		return command{1, 3, (*client).flushAll}, true
	case "verbosity":
		return command{2, 3, (*client).verbosity}, true
	case "stats":
		return command{1, many, (*client).stats}, true
	case "version":
		return command{1, many, say("VERSION " + Version)}, true
	case "shutdown":
		return command{1, many, say("ERROR: shutdown not enabled")}, true
	case "quit":
		return command{1, many, func(*client, fields) error { return errQuit }}, true
	}
	return command{}, false
}

// run does the command of one line. An error ends the connection.
func (cl *client) run(words fields) error {
	if len(words) == 0 {
		cl.reply("ERROR")
		return nil
	}
	cmd, ok := lookup(words[0])
	if !ok || len(words) < cmd.least || len(words) > cmd.most {
		cl.reply("ERROR")
		return nil
	}
	return cmd.run(cl, words)
}

// say is a command that always gives the same answer.
func say(line string) func(*client, fields) error {
	return func(cl *client, _ fields) error {
		cl.reply(line)
		return nil
	}
}
