package ofd

// space is the namespace of all elements; its prefix is part of the names below, since readers look for "ofd:".
const space = "http://www.ofdspec.org/2016"

// xmlRoot is OFD.xml.
type xmlRoot struct {
	XMLName  struct{} `xml:"ofd:OFD"`
	Space    string   `xml:"xmlns:ofd,attr"`
	Version  string   `xml:"Version,attr"`
	Kind     string   `xml:"DocType,attr"`
	Info     xmlInfo  `xml:"ofd:DocBody>ofd:DocInfo"`
	Document string   `xml:"ofd:DocBody>ofd:DocRoot"`
}

type xmlInfo struct {
	ID      string     `xml:"ofd:DocID"`
	Title   string     `xml:"ofd:Title"`
	Author  string     `xml:"ofd:Author"`
	Subject string     `xml:"ofd:Subject"`
	Created string     `xml:"ofd:CreationDate"`
	Creator string     `xml:"ofd:Creator"`
	Custom  []xmlDatum `xml:"ofd:CustomDatas>ofd:CustomData"`
}

type xmlDatum struct {
	Name  string `xml:"Name,attr"`
	Value string `xml:",chardata"`
}

// xmlDocument is Document.xml.
type xmlDocument struct {
	XMLName     struct{}     `xml:"ofd:Document"`
	Space       string       `xml:"xmlns:ofd,attr"`
	MaxID       int          `xml:"ofd:CommonData>ofd:MaxUnitID"`
	Area        string       `xml:"ofd:CommonData>ofd:PageArea>ofd:PhysicalBox"`
	Resources   string       `xml:"ofd:CommonData>ofd:PublicRes"`
	Pages       []xmlPageRef `xml:"ofd:Pages>ofd:Page"`
	Attachments string       `xml:"ofd:Attachments,omitempty"`
}

type xmlPageRef struct {
	ID int    `xml:"ID,attr"`
	At string `xml:"BaseLoc,attr"`
}

// xmlResources is PublicRes.xml.
type xmlResources struct {
	XMLName struct{}  `xml:"ofd:Res"`
	Space   string    `xml:"xmlns:ofd,attr"`
	Base    string    `xml:"BaseLoc,attr"`
	Fonts   []xmlFont `xml:"ofd:Fonts>ofd:Font"`
}

type xmlFont struct {
	ID     int    `xml:"ID,attr"`
	Name   string `xml:"FontName,attr"`
	Family string `xml:"FamilyName,attr"`
}

// xmlAttachments is Attachments.xml.
type xmlAttachments struct {
	XMLName struct{}        `xml:"ofd:Attachments"`
	Space   string          `xml:"xmlns:ofd,attr"`
	All     []xmlAttachment `xml:"ofd:Attachment"`
}

type xmlAttachment struct {
	ID      string `xml:"ID,attr"`
	Name    string `xml:"Name,attr"`
	Format  string `xml:"Format,attr"`
	Created string `xml:"CreationDate,attr"`
	At      string `xml:"ofd:FileLoc"`
}

// xmlPage is the Content.xml of a page.
type xmlPage struct {
	XMLName struct{}   `xml:"ofd:Page"`
	Space   string     `xml:"xmlns:ofd,attr"`
	Layers  []xmlLayer `xml:"ofd:Content>ofd:Layer"`
}

type xmlLayer struct {
	ID     int        `xml:"ID,attr"`
	Kind   string     `xml:"Type,attr"`
	Shapes []xmlShape `xml:"ofd:PathObject"`
	Texts  []xmlText  `xml:"ofd:TextObject"`
}

type xmlText struct {
	ID       int       `xml:"ID,attr"`
	Boundary string    `xml:"Boundary,attr"`
	Matrix   string    `xml:"CTM,attr,omitempty"`
	Font     int       `xml:"Font,attr"`
	Size     string    `xml:"Size,attr"`
	Colour   xmlColour `xml:"ofd:FillColor"`
	Codes    []xmlCode `xml:"ofd:TextCode"`
}

type xmlCode struct {
	X        string `xml:"X,attr"`
	Y        string `xml:"Y,attr"`
	Advances string `xml:"DeltaX,attr,omitempty"`
	Says     string `xml:",chardata"`
}

type xmlShape struct {
	ID       int       `xml:"ID,attr"`
	Boundary string    `xml:"Boundary,attr"`
	Stroke   bool      `xml:"Stroke,attr"`
	Fill     bool      `xml:"Fill,attr"`
	Colour   xmlColour `xml:"ofd:FillColor"`
	Path     string    `xml:"ofd:AbbreviatedData"`
}

type xmlColour struct {
	Value string `xml:"Value,attr"`
}
