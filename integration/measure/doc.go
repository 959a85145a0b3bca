// Package measure has what the programs that measure share: what this process and
// memcached have used, by their own account, and children that end with their parent.
package measure
