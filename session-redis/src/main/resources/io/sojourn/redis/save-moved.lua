local s = read(KEYS[1])
s.version = version
s.saves = saves
if timeout then
  s.idle = ARGV[3]
  s.touch = ARGV[4]
end
access(s, time, accessed, fields, timeout)
return version
