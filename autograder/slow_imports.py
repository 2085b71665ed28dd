"""What packages that are used here import and could do without."""

# It builds a grammar of web addresses for most of a second, longer than all else that a command imports beside torch.
# jsonschema does without it: then it does not look whether a text is such an address, and no notebook asks for that.
SLOW = "rfc3987_syntax"
