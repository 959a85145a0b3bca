package tomcat

// An Attribute is one that Tomcat's files may have, and what becomes of it.
type Attribute struct {
	Element, Name string
	Of            Class  // the managers that have it, if Element is Manager
	Flag          string // of "holdfast app"; "" if there is none
	Takes         string // an example
	Refuses       string // an example; "" if any text will do, but ${…}
	With          string // the attributes that the example needs beside it
	Remark        string

	carry func(*carrier, string) error // nil: the attribute is not about sessions
}

// Attributes is the table of all of them.
func Attributes() []Attribute {
	var all []Attribute
	for _, part := range [][]Attribute{nodeAttributes(), modeAttributes(), formAttributes(), idleAttributes(), baseAttributes(), cookieAttributes()} {
		all = append(all, part...)
	}
	for element, names := range map[string][]string{
		"Context": contextAttributes, "Engine": engineAttributes, "CookieProcessor": processorAttributes,
		"SessionIdGenerator": generatorAttributes, "Store": storeAttributes,
	} {
		for _, name := range names {
			all = append(all, Attribute{Element: element, Name: name})
		}
	}
	return all
}
