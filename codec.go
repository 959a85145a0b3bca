package holdfast

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// A Codec turns the values of one attribute into bytes and back.
type Codec[T any] interface {
	// Tag marks the bytes, so that they are never given to another codec: 128
	// to 255 for codecs of your own.
	Tag() byte
	// Append appends the bytes of v to dst.
	Append(dst []byte, v T) ([]byte, error)
	// Decode reads what Append wrote. It must not keep or change b.
	Decode(b []byte) (T, error)
}

// The tags of the codecs that every program has; docs/wire.md says what their
// bytes are.
const (
	tagString byte = iota + 1
	tagBytes
	tagInt
	tagUint
	tagFloat
	tagBool
	tagTime
	tagJSON
	firstUserTag byte = 128
)

// codecFor returns the codec of T: one without reflection for the simple types,
// JSON for all others.
func codecFor[T any]() Codec[T] {
	var c any
	switch any((*T)(nil)).(type) {
	case *string:
		c = stringCodec{}
	case *[]byte:
		c = bytesCodec{}
	case *bool:
		c = boolCodec{}
	case *time.Time:
		c = timeCodec{}
	case *int:
		c = intCodec[int]{}
	case *int8:
		c = intCodec[int8]{}
	case *int16:
		c = intCodec[int16]{}
	case *int32:
		c = intCodec[int32]{}
	case *int64:
		c = intCodec[int64]{}
	case *uint:
		c = uintCodec[uint]{}
	case *uint8:
		c = uintCodec[uint8]{}
	case *uint16:
		c = uintCodec[uint16]{}
	case *uint32:
		c = uintCodec[uint32]{}
	case *uint64:
		c = uintCodec[uint64]{}
	case *float32:
		c = floatCodec[float32]{}
	case *float64:
		c = floatCodec[float64]{}
	default:
		return jsonCodec[T]{}
	}
	return c.(Codec[T])
}

type stringCodec struct{}

func (stringCodec) Tag() byte                                   { return tagString }
func (stringCodec) Append(dst []byte, v string) ([]byte, error) { return append(dst, v...), nil }
func (stringCodec) Decode(b []byte) (string, error)             { return string(b), nil }

type bytesCodec struct{}

func (bytesCodec) Tag() byte                                   { return tagBytes }
func (bytesCodec) Append(dst []byte, v []byte) ([]byte, error) { return append(dst, v...), nil }
func (bytesCodec) Decode(b []byte) ([]byte, error)             { return append([]byte{}, b...), nil }

type boolCodec struct{}

func (boolCodec) Tag() byte { return tagBool }

func (boolCodec) Append(dst []byte, v bool) ([]byte, error) {
	if v {
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}

func (boolCodec) Decode(b []byte) (bool, error) {
	if len(b) != 1 || b[0] > 1 {
		return false, fmt.Errorf("%d bytes are no bool", len(b))
	}
	return b[0] == 1, nil
}

type timeCodec struct{}

func (timeCodec) Tag() byte                                      { return tagTime }
func (timeCodec) Append(dst []byte, v time.Time) ([]byte, error) { return v.AppendText(dst) }

func (timeCodec) Decode(b []byte) (time.Time, error) {
	var t time.Time
	err := t.UnmarshalText(b)
	return t, err
}

type intCodec[T int | int8 | int16 | int32 | int64] struct{}

func (intCodec[T]) Tag() byte { return tagInt }

func (intCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	return binary.AppendVarint(dst, int64(v)), nil
}

func (intCodec[T]) Decode(b []byte) (T, error) {
	v, n := binary.Varint(b)
	if n <= 0 || n != len(b) || int64(T(v)) != v {
		return 0, fmt.Errorf("%d bytes are no %T, or one out of range", len(b), T(0))
	}
	return T(v), nil
}

type uintCodec[T uint | uint8 | uint16 | uint32 | uint64] struct{}

func (uintCodec[T]) Tag() byte { return tagUint }

func (uintCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	return binary.AppendUvarint(dst, uint64(v)), nil
}

func (uintCodec[T]) Decode(b []byte) (T, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 || n != len(b) || uint64(T(v)) != v {
		return 0, fmt.Errorf("%d bytes are no %T, or one out of range", len(b), T(0))
	}
	return T(v), nil
}

type floatCodec[T float32 | float64] struct{}

func (floatCodec[T]) Tag() byte { return tagFloat }

func (floatCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(v))), nil
}

func (floatCodec[T]) Decode(b []byte) (T, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("%d bytes are no float", len(b))
	}
	return T(math.Float64frombits(binary.LittleEndian.Uint64(b))), nil
}

type jsonCodec[T any] struct{}

func (jsonCodec[T]) Tag() byte { return tagJSON }

func (jsonCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(dst, b...), err
}

func (jsonCodec[T]) Decode(b []byte) (T, error) {
	var v T
	err := json.Unmarshal(b, &v)
	return v, err
}

// decodeAny reads an attribute whose type is not known, for people who look at
// sessions: a value of the simple type, json.RawMessage, or the bytes.
func decodeAny(tag byte, b []byte) (any, error) {
	switch tag {
	case tagString:
		return stringCodec{}.Decode(b)
	case tagInt:
		return intCodec[int64]{}.Decode(b)
	case tagUint:
		return uintCodec[uint64]{}.Decode(b)
	case tagFloat:
		return floatCodec[float64]{}.Decode(b)
	case tagBool:
		return boolCodec{}.Decode(b)
	case tagTime:
		return timeCodec{}.Decode(b)
	case tagJSON:
		if !json.Valid(b) {
			return nil, fmt.Errorf("%d bytes are no JSON", len(b))
		}
		return json.RawMessage(append([]byte{}, b...)), nil
	}
	return bytesCodec{}.Decode(b)
}
