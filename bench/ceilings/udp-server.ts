/** The ceiling of UDP: parses each datagram and answers the same JSON that an id is answered with, without an id. */
import { createSocket } from 'node:dgram'

const socket = createSocket('udp4')
socket.on('message', (datagram, { port, address }) => {
  const { action, rule_name, app_name } = JSON.parse(datagram.toString())
  const reply = { action, app_name, code: 0, data: 'O261121000001', message: 'success', rule_name }
  socket.send(JSON.stringify(reply), port, address)
})
socket.bind(Number(process.env.PORT), '127.0.0.1')
