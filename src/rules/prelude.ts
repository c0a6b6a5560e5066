/**
 * The Lua side of the sandbox, run before a rule's script in the same state. It takes away what a script must not have,
 * and returns two functions: `settings`, to be called once the script has run, and `run`, which runs `create_id` for each
 * line of a text. So one call into Lua serves a whole batch, and only a text crosses.
 *
 * What it uses later it takes into locals first, since a script may change any global.
 */
export const PRELUDE = `
local globals = _G
local error, ipairs, pairs, pcall, type = error, ipairs, pairs, pcall, type
local concat, find, format, gmatch = table.concat, string.find, string.format, string.gmatch
local gsub, match, sub = string.gsub, string.match, string.sub
local huge, tointeger, utf8length = math.huge, math.tointeger, utf8.len

local allowed = {}
for _, name in ipairs {
  '_G', '_VERSION', 'assert', 'error', 'getmetatable', 'ipairs', 'next', 'pairs', 'pcall', 'rawequal', 'rawget', 'rawlen',
  'select', 'setmetatable', 'tonumber', 'tostring', 'type', 'xpcall', 'string', 'math', 'table', 'utf8',
} do allowed[name] = true end
for name in pairs(globals) do
  if not allowed[name] then globals[name] = nil end
end
string.dump = nil
getmetatable('').__metatable = false

-- Objects with methods that a script can call and cannot replace.
local function object(methods)
  return setmetatable({}, { __index = methods, __newindex = function() error('cannot be changed', 2) end, __metatable = false })
end

local number
local year, month, day, hour, minute, second
local counter = object { generate_counter = function() return number end }
local now = object {
  year = function() return year end, month = function() return month end, day = function() return day end,
  hour = function() return hour end, minute = function() return minute end, second = function() return second end,
}

-- Cut in the middle of a character, a text would no longer be UTF-8, and its last byte would take the end of the line with it.
local function describe(problem)
  if type(problem) ~= 'string' then return 'an error that is a ' .. type(problem) end
  local text = gsub(sub(problem, 1, MESSAGE_BYTES_MAX), '%c+', ' ')
  return utf8length(text) and text or (gsub(text, '[\\128-\\255]+', '?'))
end

local function setting(name)
  local f = globals[name]
  if type(f) ~= 'function' then error('does not define the function ' .. name .. '()', 0) end
  local value = f()
  if type(value) ~= 'number' then error(name .. '() returned a ' .. type(value) .. ' where a number is needed', 0) end
  if name == 'reset_seconds' and value < 1 then return 0 end
  return tointeger(value) or error(name .. '() must return a whole number, but returned ' .. value, 0)
end

local function settings()
  local ok, problem = pcall(function()
    local min, max, reset = setting 'min_counter', setting 'max_counter', setting 'reset_seconds'
    if type(globals.create_id) ~= 'function' then error('does not define the function create_id()', 0) end
    return format('=%d %d %d', min, max, reset)
  end)
  return ok and problem or '!' .. describe(problem)
end

-- The text of an id, or nil and what is wrong with it.
local function textOf(id)
  if type(id) == 'number' then
    if id ~= id or id == huge or id == -huge then return nil, 'create_id returned a number that is not finite' end
    return tointeger(id) and format('%d', id) or format('%.14g', id)
  end
  if type(id) ~= 'string' then return nil, 'create_id returned a ' .. type(id) .. ' where a string or a number is needed' end
  if id == '' then return nil, 'create_id returned an empty string' end
  if #id > ID_BYTES_MAX then return nil, 'create_id returned more than ' .. ID_BYTES_MAX .. ' bytes' end
  if find(id, '%c') or not utf8length(id) then return nil, 'create_id returned control characters or bytes that are not UTF-8' end
  return id
end

-- Runs create_id where nothing is odd. Anything else raises an error, whatever it is.
local function runPlainly(salt)
  local id = globals.create_id(counter, now, salt)
  if type(id) == 'string' and id ~= '' and #id <= ID_BYTES_MAX then return id end
  return textOf(id) or error()
end

local function runCarefully(salt)
  local ok, id = pcall(globals.create_id, counter, now, salt)
  if not ok then return '!' .. describe(id) end
  local text, problem = textOf(id)
  return text and '=' .. text or '!' .. problem
end

-- Each line is a counter, how many runs it and those that follow it are for, how far apart these are, a tab and a salt; or a tab and
-- the time from there on.
local function runAll(lines, runOne)
  local results, count = {}, 0
  for first, runs, step, rest in gmatch(lines, '(%d*) ?(%d*) ?(%d*)\\t([^\\n]*)\\n') do
    if first == '' then
      year, month, day, hour, minute, second = match(rest, '(%d+) (%d+) (%d+) (%d+) (%d+) (%d+)')
      year, month, day = tointeger(year), tointeger(month), tointeger(day)
      hour, minute, second = tointeger(hour), tointeger(minute), tointeger(second)
    else
      local start, distance = tointeger(first), tointeger(step)
      for i = 0, tointeger(runs) - 1 do
        number = start + i * distance
        count = count + 1
        results[count] = runOne(rest)
      end
    end
  end
  return results
end

-- '+' and an id a line; or, where one run of all went wrong and each was done again by itself, '-' and '=id' or '!problem' a line.
-- Nothing of the first attempt has left the machine, so that no number is used twice.
local function run(lines)
  local ok, ids = pcall(runAll, lines, runPlainly)
  if ok and not find(concat(ids), '%c') then
    local text = concat(ids, '\\n')
    if utf8length(text) then return '+' .. text end
  end
  return '-' .. concat(runAll(lines, runCarefully), '\\n')
end

return settings, run
`
