-- A number that starts again every ten seconds, behind the second that it was given in.

function min_counter()
  return 1
end

function max_counter()
  return 999999999
end

function reset_seconds()
  return 10
end

function create_id(counter, now, salt)
  local date = string.format('%04d%02d%02d', now:year(), now:month(), now:day())
  local time = string.format('%02d%02d%02d', now:hour(), now:minute(), now:second())
  return string.format('%s%s-%09d', date, time, counter:generate_counter())
end
