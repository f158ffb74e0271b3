// A client made of xmpp.js, in a process of its own:  node child.js JID PASSWORD SERVICE
//
// Each line of its standard input is `[command, argument, …]` in JSON. It writes one line of JSON for everything that
// happens: {"event": "online", "jid"} once, then {"event": "stanza", "xml"} for each message and presence.

import { client, xml } from "@xmpp/client";
import { createInterface } from "node:readline";

const [jid, password, service] = process.argv.slice(2);
const [username, domain] = jid.split("@");
const xmpp = client({ service, domain, username, password });
const tell = (event, details) => process.stdout.write(JSON.stringify({ event, ...details }) + "\n");

const commands = {
  enter: (room, nick) => xml("presence", { to: `${room}/${nick}` }, xml("x", "http://jabber.org/protocol/muc")),
  leave: (room, nick) => xml("presence", { to: `${room}/${nick}`, type: "unavailable" }),
  say: (room, body) => xml("message", { to: room, type: "groupchat" }, xml("body", {}, body)),
};

xmpp.on("error", (problem) => console.error(problem));
xmpp.on("stanza", (stanza) => stanza.is("iq") || tell("stanza", { xml: stanza.toString() }));
xmpp.on("online", async (address) => {
  await xmpp.send(xml("presence"));
  tell("online", { jid: address.toString() });
});

const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  const [command, ...words] = JSON.parse(line);
  xmpp.send(commands[command](...words));
});
input.on("close", () => xmpp.stop());
await xmpp.start();
