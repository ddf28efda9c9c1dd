class_name SteerNpc
extends Node
## One character of a steer server in a Godot 4 scene: tells it what happens, says things to it,
## hears its lines, sentence by sentence.
##
## Add the node, set [member url], [member npc], [member session] and [member token], then call
## [method say]. The token is one that your game server minted for this session: the server's own
## key has no place in a game.

## A sentence of the line that is being said.
signal sentence_said(text: String)
## The whole line: text, steering, action, fallback.
signal line_said(line: Dictionary)
## The mood after an event, or as asked for.
signal mood_changed(mood: Dictionary)
## What the server refused: code, param and message.
signal refused(error: Dictionary)

@export var url := "ws://127.0.0.1:8080"
@export var npc := ""
@export var session := ""
@export var token := ""

var _socket := WebSocketPeer.new()
var _waiting: Array[String] = []


func _ready() -> void:
	open()


## Opens the connection; again after it was lost.
func open() -> void:
	var path := "/v1/npcs/%s/sessions/%s/socket" % [npc.uri_encode(), session.uri_encode()]
	var query := "" if token.is_empty() else "?token=" + token.uri_encode()
	var error := _socket.connect_to_url(url + path + query)
	if error != OK:
		push_error("steer: cannot connect to %s (%s)" % [url, error_string(error)])


func _process(_delta: float) -> void:
	_socket.poll()
	if _socket.get_ready_state() != WebSocketPeer.STATE_OPEN:
		return
	while not _waiting.is_empty():
		_socket.send_text(_waiting.pop_front())
	while _socket.get_available_packet_count() > 0:
		_hear(_socket.get_packet().get_string_from_utf8())


## Says something to the character. A line it is still saying is broken off.
func say(text: String, max_ms := 2000) -> void:
	_send({"send": "say", "text": text, "max_ms": max_ms, "interrupt": true})


## Tells what happened; needs a token that allows events.
func tell(type: String, data := {}) -> void:
	var message := {"send": "event", "type": type}
	if not data.is_empty():
		message["data"] = data
	_send(message)


## Asks for the mood.
func ask_mood() -> void:
	_send({"send": "mood"})


## Breaks off the line that is being said.
func cancel() -> void:
	_send({"send": "cancel"})


func _send(message: Dictionary) -> void:
	_waiting.append(JSON.stringify(message))


func _hear(text: String) -> void:
	var said: Variant = JSON.parse_string(text)
	if not said is Dictionary:
		return
	if said.has("error"):
		refused.emit(said["error"])
		return
	match said.get("object"):
		"npc.sentence":
			sentence_said.emit(said["text"])
		"npc.line":
			line_said.emit(said)
		"npc.mood":
			mood_changed.emit(said)


func _exit_tree() -> void:
	_socket.close()
