/* See frames.h. */
#include "config.h" /* POSIX names */

#include "net/frames.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/assert.h"
#include "net/buffer.h"

enum {
    PING_MAX = 125,
    MESSAGE_COST = 128, /* what wslay keeps for a message that waits, besides its bytes */
};

struct frames {
    struct frames_options options;
    wslay_event_context_ptr wslay;
    const char *input; /* of the running frames_feed */
    size_t input_length;
    char *output; /* of the running frames_take */
    size_t output_room;
    struct buffer message;
    bool in_control, silent, no_memory, flooded, no_chance;
    char why[FRAMES_WHY_MAX];
};

static ssize_t give_input(wslay_event_context_ptr wslay, uint8_t *bytes, size_t length, int flags,
                          void *context)
{
    (void)flags;
    struct frames *frames = context;
    if (frames->silent || frames->flooded || frames->no_memory || frames->no_chance) {
        wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    if (frames->input_length == 0) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    size_t taken = length < frames->input_length ? length : frames->input_length;
    memcpy(bytes, frames->input, taken);
    frames->input += taken;
    frames->input_length -= taken;
    return (ssize_t)taken;
}

static ssize_t take_output(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t length,
                           int flags, void *context)
{
    (void)flags;
    struct frames *frames = context;
    if (frames->output_room == 0) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    size_t taken = length < frames->output_room ? length : frames->output_room;
    memcpy(frames->output, bytes, taken);
    frames->output += taken;
    frames->output_room -= taken;
    return (ssize_t)taken;
}

static int make_mask(wslay_event_context_ptr wslay, uint8_t *mask, size_t length, void *context)
{
    (void)wslay;
    (void)context;
    return RAND_bytes(mask, (int)length) == 1 ? 0 : -1;
}

static void begin_frame(wslay_event_context_ptr wslay,
                        const struct wslay_event_on_frame_recv_start_arg *frame, void *context)
{
    struct frames *frames = context;
    frames->in_control = wslay_is_ctrl_frame(frame->opcode);
    size_t held = buffer_length(&frames->message);
    if (frames->in_control || frame->payload_length <= frames->options.message_max - held)
        return;
    (void)wslay_event_queue_close(wslay, WSLAY_CODE_MESSAGE_TOO_BIG, NULL, 0);
    wslay_event_shutdown_read(wslay);
}

static void take_piece(wslay_event_context_ptr wslay,
                       const struct wslay_event_on_frame_recv_chunk_arg *piece, void *context)
{
    struct frames *frames = context;
    if (frames->in_control || !wslay_event_get_read_enabled(wslay))
        return;
    if (!buffer_append(&frames->message, (const char *)piece->data, piece->data_length)) {
        frames->no_memory = true;
        wslay_event_shutdown_read(wslay);
    }
}

static void take_close(struct frames *frames, const struct wslay_event_on_msg_recv_arg *close)
{
    int reason_length = close->msg_length > 2 ? (int)(close->msg_length - 2) : 0;
    if (close->status_code == 0)
        snprintf(frames->why, sizeof frames->why, "closed by the peer");
    else
        snprintf(frames->why, sizeof frames->why, "closed by the peer: %u%s%.*s",
                 close->status_code, reason_length > 0 ? " " : "", reason_length,
                 reason_length > 0 ? (const char *)close->msg + 2 : "");
    for (char *c = frames->why; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
}

static void take_message(wslay_event_context_ptr wslay,
                         const struct wslay_event_on_msg_recv_arg *message, void *context)
{
    struct frames *frames = context;
    if (message->opcode == WSLAY_CONNECTION_CLOSE)
        take_close(frames, message);
    if (frames->silent || !wslay_event_get_read_enabled(wslay))
        return;
    if (message->opcode == WSLAY_PING) {
        frames->flooded = frames_unsent(frames) > frames->options.unsent_max;
        if (!frames->flooded && frames->options.ping != NULL)
            frames->options.ping(frames->options.context);
    } else if (!wslay_is_ctrl_frame(message->opcode)) {
        if (!buffer_reserve(&frames->message, 0)) {
            frames->no_memory = true;
            return;
        }
        frames->message.bytes[frames->message.end] = '\0';
        frames->options.text(frames->options.context, buffer_first(&frames->message),
                             buffer_length(&frames->message));
        buffer_clear(&frames->message);
    }
}

int frames_open(struct frames **frames, const struct frames_options *options, struct error *error)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = give_input,
        .send_callback = take_output,
        .genmask_callback = make_mask,
        .on_frame_recv_start_callback = begin_frame,
        .on_frame_recv_chunk_callback = take_piece,
        .on_msg_recv_callback = take_message,
    };
    struct frames *made = calloc(1, sizeof *made);
    if (made == NULL)
        return error_set(error, ERROR_SYSTEM, "no memory for a websocket");
    made->options = *options;
    int status = options->server ? wslay_event_context_server_init(&made->wslay, &callbacks, made)
                                 : wslay_event_context_client_init(&made->wslay, &callbacks, made);
    if (status != 0) {
        free(made);
        return error_set(error, ERROR_SYSTEM, "no memory for a websocket");
    }
    wslay_event_config_set_no_buffering(made->wslay, 1);
    wslay_event_config_set_max_recv_msg_length(made->wslay, options->message_max);
    *frames = made;
    return ERROR_NONE;
}

void frames_close(struct frames **frames)
{
    if (*frames == NULL)
        return;
    wslay_event_context_free((*frames)->wslay);
    buffer_free(&(*frames)->message);
    free(*frames);
    *frames = NULL;
}

void frames_silence(struct frames *frames)
{
    frames->silent = true;
}

bool frames_feed(struct frames *frames, const char *bytes, size_t length)
{
    ASSERT(frames->input_length == 0);
    frames->input = bytes;
    frames->input_length = length;
    wslay_event_set_error(frames->wslay, 0); /* it keeps the last one */
    int status = wslay_event_recv(frames->wslay);
    frames->input = NULL;
    frames->input_length = 0;
    return status == 0 && wslay_event_get_read_enabled(frames->wslay) && !frames->silent;
}

const char *frames_why(struct frames *frames)
{
    if (frames->why[0] != '\0')
        return frames->why;
    if (frames->no_memory)
        return "no memory for a message";
    if (frames->no_chance)
        return "no randomness for a mask";
    if (frames->flooded)
        return "the peer pings and does not read";
    switch (wslay_event_get_status_code_sent(frames->wslay)) {
    case WSLAY_CODE_MESSAGE_TOO_BIG:
        return "a message is too long";
    case WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA:
        return "a text is not UTF-8";
    default:
        return "the peer broke the websocket protocol";
    }
}

static bool queue(struct frames *frames, uint8_t opcode, const char *bytes, size_t length)
{
    const struct wslay_event_msg message = {
        .opcode = opcode, .msg = (const uint8_t *)bytes, .msg_length = length};
    return wslay_event_queue_msg(frames->wslay, &message) == 0;
}

bool frames_send_text(struct frames *frames, const char *text, size_t length)
{
    return queue(frames, WSLAY_TEXT_FRAME, text, length);
}

bool frames_send_ping(struct frames *frames, const char *bytes, size_t length)
{
    return queue(frames, WSLAY_PING, bytes, length < PING_MAX ? length : PING_MAX);
}

void frames_finish(struct frames *frames, unsigned code, const char *reason)
{
    size_t length = reason == NULL ? 0 : strlen(reason);
    if (length > FRAMES_CLOSE_REASON_MAX) {
        length = FRAMES_CLOSE_REASON_MAX;
        while (length > 0 && ((unsigned char)reason[length] & 0xc0) == 0x80)
            length--; /* not within a character */
    }
    /* Refused only where one waits or went already. */
    (void)wslay_event_queue_close(frames->wslay, (uint16_t)code, (const uint8_t *)reason, length);
}

size_t frames_unsent(const struct frames *frames)
{
    return wslay_event_get_queued_msg_length(frames->wslay) +
           MESSAGE_COST * wslay_event_get_queued_msg_count(frames->wslay);
}

size_t frames_take(struct frames *frames, char *bytes, size_t room)
{
    frames->output = bytes;
    frames->output_room = room;
    wslay_event_set_error(frames->wslay, 0);
    /* It fails only where there is no mask; then nothing can be sent any more. */
    frames->no_chance = frames->no_chance || wslay_event_send(frames->wslay) != 0;
    size_t taken = room - frames->output_room;
    frames->output = NULL;
    frames->output_room = 0;
    return taken;
}
