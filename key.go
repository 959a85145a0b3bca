package holdfast

import (
	"fmt"

	"github.com/holdfast-sessions/holdfast/record"
)

// A Key is the name of an attribute together with its type. Declare it once, as
// a package variable. Values are copies: changing what Get returned changes
// nothing, Set or Update does.
type Key[T any] struct {
	name  string
	codec Codec[T]
}

// NewKey returns the key of the attribute called name. Strings, byte slices,
// integers, floats, bools and times are stored in a compact form, all other
// types as JSON; a codec replaces that. It panics when name is empty, or when
// the codec has a tag below 128.
func NewKey[T any](name string, codec ...Codec[T]) Key[T] {
	if name == "" {
		panic("holdfast: NewKey: the name is empty")
	}
	if len(codec) == 0 {
		return Key[T]{name, codecFor[T]()}
	}
	if tag := codec[0].Tag(); tag < firstUserTag {
		panic(fmt.Sprintf("holdfast: NewKey(%q): codec tag %d is reserved, take 128 to 255", name, tag))
	}
	return Key[T]{name, codec[0]}
}

// Name returns the attribute's name.
func (k Key[T]) Name() string { return k.name }

// Lookup returns the attribute, or ErrNoAttribute. Its error is the caller's to
// answer for, as one of Session.Err.
func (k Key[T]) Lookup(s *Session) (T, error) {
	v, err := k.lookup(s)
	if err != nil && err != ErrNoAttribute { // which is an answer, and is not kept
		s.looked()
	}
	return v, err
}

func (k Key[T]) lookup(s *Session) (T, error) {
	var zero T
	a, ok, err := s.attribute(k.name)
	if err != nil {
		return zero, err
	}
	if !ok {
		return zero, ErrNoAttribute
	}
	v, err := k.decode(a)
	if err != nil {
		return zero, s.fail(err)
	}
	return v, nil
}

// Get returns the attribute and whether there is one. An error is kept in
// Session.Err, and unless the handler looks there, no page made without the
// attribute reaches the browser.
func (k Key[T]) Get(s *Session) (T, bool) {
	v, err := k.lookup(s)
	return v, err == nil
}

// Set stores v when the request commits. Of two requests that set one attribute
// at the same time the later commit wins; Update loses neither.
func (k Key[T]) Set(s *Session, v T) error {
	a, err := k.encode(v)
	if err != nil {
		return s.fail(err)
	}
	return s.do(op{kind: opSet, attr: a})
}

// Update changes the attribute in place: fn gets its value, or the zero value.
// When another request was faster, fn runs again on the newer value, so that no
// update is lost; it must do nothing else, and not use the session. An error
// of fn is returned and nothing changes. Its last run need not be the one that was
// stored, when the answer to an earlier one was lost: Get after Commit tells what was.
func (k Key[T]) Update(s *Session, fn func(*T) error) error {
	for {
		from, _, err := s.attribute(k.name)
		if err != nil {
			return err
		}
		made, foreign, err := k.updated(from, fn)
		if foreign {
			return err
		}
		if err != nil {
			return s.fail(err)
		}
		err = s.do(op{kind: opUpdate, attr: made, from: from, again: func(r *record.Record) error {
			newer, _ := r.Get(k.name)
			made, _, err := k.updated(newer, fn)
			if err == nil {
				r.Set(made)
			}
			return err
		}})
		if err != errOutrun {
			return err
		}
	}
}

// updated returns what fn makes of the attribute from; foreign says that the
// error is fn's.
func (k Key[T]) updated(from record.Attribute, fn func(*T) error) (made record.Attribute, foreign bool, err error) {
	var v T
	if from.Name != "" {
		if v, err = k.decode(from); err != nil {
			return made, false, err
		}
	}
	if err := fn(&v); err != nil {
		return made, true, err
	}
	made, err = k.encode(v)
	return made, false, err
}

// Delete removes the attribute. Removing nothing is no change.
func (k Key[T]) Delete(s *Session) error {
	_, ok, err := s.attribute(k.name)
	if err != nil || !ok {
		return err
	}
	return s.do(op{kind: opRemove, attr: record.Attribute{Name: k.name}})
}

// Take returns the attribute and removes it. Two requests at the same time may
// both get it; inside of Session.Do only one does.
func (k Key[T]) Take(s *Session) (T, bool) {
	v, ok := k.Get(s)
	if ok {
		ok = k.Delete(s) == nil
	}
	return v, ok
}

func (k Key[T]) encode(v T) (record.Attribute, error) {
	b, err := k.codec.Append(nil, v)
	if err != nil {
		return record.Attribute{}, fmt.Errorf("attribute %q cannot be encoded: %w", k.name, err)
	}
	return record.Attribute{Name: k.name, Codec: k.codec.Tag(), Value: b}, nil
}

func (k Key[T]) decode(a record.Attribute) (T, error) {
	if a.Codec != k.codec.Tag() {
		var zero T
		return zero, unreadableAttribute(k.name, fmt.Errorf("it was stored with codec tag %d, this key has %d", a.Codec, k.codec.Tag()))
	}
	v, err := k.codec.Decode(a.Value)
	if err != nil {
		return v, unreadableAttribute(k.name, err)
	}
	return v, nil
}

func unreadableAttribute(name string, err error) error {
	return fmt.Errorf("%w: attribute %q: %w; Set or Delete replaces it", ErrUnreadable, name, err)
}

// A Flash is a list of messages for the visitor that are shown once: added by
// one request, taken by a later one.
type Flash[T any] struct{ messages Key[[]T] }

// NewFlash returns the flash stored in the attribute called name.
func NewFlash[T any](name string) Flash[T] { return Flash[T]{NewKey[[]T](name)} }

// Add appends message.
func (f Flash[T]) Add(s *Session, message T) error {
	return f.messages.Update(s, func(all *[]T) error {
		*all = append(*all, message)
		return nil
	})
}

// Take returns the messages, oldest first, and removes them. Taking nothing is
// no change.
func (f Flash[T]) Take(s *Session) []T {
	messages, _ := f.messages.Take(s)
	return messages
}
