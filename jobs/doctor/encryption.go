package doctor

// encryption sees whether everything in the data folder can be read.
func (o *Options) encryption() Finding {
	const what = "encryption"
	k := o.Config.Encryption
	if err := k.Check(o.Config.Data); err != nil {
		return bad(what, "the service does not start until then", "%v", err)
	}
	if k == nil {
		return ok(what, "there is none: whoever has the disk or a backup of it can read what is kept")
	}
	return ok(what, "what is kept is encrypted, to %d recipients, and the identities open all of it", len(k.Share().Recipients))
}
