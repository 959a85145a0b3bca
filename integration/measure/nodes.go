package measure

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// A NodeUsage is what a memcached has used and met since its start, by its own account.
type NodeUsage struct {
	CPU       time.Duration
	Commands  int // that read or change items
	Bytes     int // of the items that it holds, with keys and heads
	Evictions int
	Version   string
}

// AskNodes sums up the usage of nodes.
func AskNodes(addrs []string) (sum NodeUsage, err error) {
	for _, addr := range addrs {
		stats, err := askNode(addr)
		if err != nil {
			return sum, fmt.Errorf("memcached %s: %w", addr, err)
		}
		u := usageOf(stats)
		sum.CPU += u.CPU
		sum.Commands += u.Commands
		sum.Bytes += u.Bytes
		sum.Evictions += u.Evictions
		sum.Version = u.Version
	}
	return sum, nil
}

func usageOf(stats map[string]string) NodeUsage {
	number := func(names ...string) (sum int) {
		for _, name := range names {
			n, _ := strconv.Atoi(stats[name])
			sum += n
		}
		return sum
	}
	seconds := func(name string) time.Duration {
		f, _ := strconv.ParseFloat(stats[name], 64)
		return time.Duration(f * float64(time.Second))
	}
	return NodeUsage{
		CPU: seconds("rusage_user") + seconds("rusage_system"),
		// A read that extends the life, as mg can, counts as a touch only.
		Commands:  number("cmd_get", "cmd_set", "cmd_touch", "delete_hits", "delete_misses"),
		Bytes:     number("bytes"),
		Evictions: number("evictions"),
		Version:   stats["version"],
	}
}

func askNode(addr string) (map[string]string, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprint(conn, "stats\r\n"); err != nil {
		return nil, err
	}
	stats := map[string]string{}
	for in := bufio.NewScanner(conn); in.Scan(); {
		words := strings.Fields(in.Text())
		if len(words) > 0 && words[0] == "END" {
			return stats, nil
		}
		if len(words) == 3 {
			stats[words[1]] = words[2]
		}
	}
	return nil, fmt.Errorf("stats of %s end too early", addr)
}
