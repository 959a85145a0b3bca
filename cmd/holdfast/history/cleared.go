package history

// checkCleared decides whether a register explains ops that may also clear it: write
// nothing. A read of nothing does not tell then what it saw, so orders are searched.
func checkCleared(ops []registerOp, limit int) error {
	clusters, err := clustersOf(withoutNothing(ops))
	if err != nil {
		return err
	}
	var tried []registerOp
	for _, op := range ops {
		c := clusters[op.value]
		switch {
		case op.outcome == Refused:
			continue
		case !op.write || op.outcome == Accepted:
		case op.value == "":
			op.span.End = never
		case c == nil:
			continue // nobody saw it: it need not have happened
		default:
			op.span.End = c.firstEnd // by then it had happened
		}
		tried = append(tried, op)
	}
	return registers().search(tried, limit)
}

func registers() automaton[string, registerOp] {
	return automaton[string, registerOp]{"", stepRegister, registerOp.at, registerOp.tells}
}

// withoutNothing is ops without those that write or read nothing.
func withoutNothing(ops []registerOp) (rest []registerOp) {
	for _, op := range ops {
		if op.value != "" {
			rest = append(rest, op)
		}
	}
	return rest
}

func stepRegister(value string, op registerOp) (after string, possible bool) {
	if op.write {
		return op.value, true
	}
	return value, value == op.value
}

func (op registerOp) at() Span { return op.span }

func (op registerOp) tells() string {
	if op.write {
		return ""
	}
	return "read " + op.value
}

// clears is true when some of ops clear their register.
func clears(ops []registerOp) bool {
	for _, op := range ops {
		if op.write && op.value == "" {
			return true
		}
	}
	return false
}
