-- Applies a delta: the version after it, 0 if there is no such session, or -1 if its lease is not this holder's.
-- KEYS session. ARGV offset, how long idle, new idle and touch or '', the node and what it knows this save by, the holder
-- of a lease or '', then the changes: set name value | replace name value version | remove name.

-- How many nodes' last saves are known.
local NODES = 8
-- More versions than are made while a caller waits to ask again.
local DIGITS = 3

local time = now(ARGV[1])
local s = read(KEYS[1])
if not s or s.claim then
  return 0
end
if ARGV[7] ~= '' and leased(s) ~= ARGV[7] then
  return -1
end
local accessed = time - tonumber(ARGV[2])
local timeout = ARGV[3] ~= ''
if #ARGV == 7 and not timeout then
  if accessed > s.accessed then
    access(s, time, accessed, {})
  end
  return s.version
end
-- A caller that had no answer asks again, and somebody else may have saved meanwhile. A node saves a session once at a
-- time, so its last save is enough, with the last digits of the version that it made.
local save = ARGV[5] .. ARGV[6]
local _, done = string.find(s.saves, save, 1, true)
if done then
  rewrite(s)
  return s.version - (s.version - tonumber(string.sub(s.saves, done + 1, done + DIGITS))) % 10 ^ DIGITS
end

s.version = s.version + 1
local others = s.saves == '-' and '' or s.saves
local mine = string.find(others, ARGV[5], 1, true)
local each = #save + DIGITS
if mine then
  others = string.sub(others, 1, mine - 1) .. string.sub(others, mine + each)
end
s.saves = string.sub(save .. string.format('%03d', s.version % 10 ^ DIGITS) .. others, 1, NODES * each)
if timeout then
  s.idle = ARGV[3]
  s.touch = ARGV[4]
end
local version = text(s.version)
local fields = {}
local index = s.index
local newest = {}
local marked = false
local i = 8
while i <= #ARGV do
  local change, name = ARGV[i], ARGV[i + 1]
  local key = entry(name)
  local from, to = string.find(index, key, 1, true)
  local writer = from and string.match(index, '^-?%d+', to + 1)
  local latest
  if change == 'remove' then
    if redis.call('HDEL', s.name, ':' .. name) == 1 then
      latest = key .. '-' .. version
      marked = true
    end
    i = i + 2
  else
    if change == 'set' or writer and tonumber(writer) == tonumber(ARGV[i + 3]) then
      if #fields > MOST then
        set(s.name, fields)
      end
      fields[#fields + 1] = ':' .. name
      fields[#fields + 1] = ARGV[i + 2]
      latest = key .. version
    end
    i = i + (change == 'set' and 3 or 4)
  end
  if latest then
    newest[#newest + 1] = latest
    if from then
      index = string.sub(index, 1, from - 1) .. string.sub(index, to + #writer + 1)
    end
  end
end
local oldest = s.version - MARKED
if marked and oldest > 0 then
  index = string.gsub(index, '\255[^\254]*\254%-(%d+)', function(removed)
    return tonumber(removed) <= oldest and '' or nil
  end)
end
fields[#fields + 1] = 'index'
fields[#fields + 1] = table.concat(newest) .. index
access(s, time, accessed, fields, timeout)
return s.version
