//! The descriptions of commands and their options, as Discord shows them while one is typed.

#![expect(missing_docs, reason = "each is the description of the command or option it is named after")]
pub const ACCOUNT: &str = "Connect this Discord server with a game-server account";
pub const ACCOUNT_LINK: &str = "Link this Discord server to the account whose one-time code you were given";
pub const ACCOUNT_LINK_CODE: &str = "The one-time code, from the account's owner";
pub const ACCOUNT_LIST: &str = "Show the linked accounts and how they are doing";
pub const ACCOUNT_UNLINK: &str = "End the link to an account; asks before it does";
pub const ACCOUNT_UNLINK_ACCOUNT: &str = "Which one";
pub const NOTIFY: &str = "Choose which game-server events go to which channel";
pub const NOTIFY_ADD: &str = "Send events to a channel, from this moment on";
pub const NOTIFY_ADD_CHANNEL: &str = "The channel or thread to tell";
pub const NOTIFY_ADD_EVENTS: &str = "Which events";
pub const NOTIFY_ADD_ACCOUNT: &str = "Whose events; not needed when one account is linked";
pub const NOTIFY_ADD_SERVER: &str = "Only this game server's events; all servers' when left out";
pub const NOTIFY_ADD_MENTION: &str = "A role to mention with every message";
pub const NOTIFY_LIST: &str = "Show which events go to which channel";
pub const NOTIFY_REMOVE: &str = "Stop sending events to a channel";
pub const NOTIFY_EDIT: &str = "Choose other events for one of these";
pub const NOTIFY_PAUSE: &str = "Stop for a while: what happens meanwhile is not kept";
pub const NOTIFY_RESUME: &str = "End a pause, from this moment on";
pub const NOTIFY_BINDING: &str = "Which one";
pub const NOTIFY_TEST: &str = "Show a sample in a channel, and say whether that works";
pub const STATUS: &str = "What was last heard of the game servers";
pub const STATUS_SERVER: &str = "Only this game server";
pub const HELP: &str = "The next steps, from where this Discord server stands";
pub const WHY: &str = "What happened to the last events for a channel, and why";
pub const WHY_BINDING: &str = "Which entry of the list; this channel's when left out";
