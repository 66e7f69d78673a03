// Discord's ids: too large for a number, so they stay text (https://discord.com/developers/docs/reference#snowflakes).

const DISCORD_EPOCH = 1420070400000n;

/** Orders ids by age. */
export const compare = (one, other) => one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);

/** When something with this id was made, in milliseconds. */
export const madeAt = (id) => Number((BigInt(id) >> 22n) + DISCORD_EPOCH);

/** A small number that an id always has, to choose a colour by. */
export const pick = (id, of) => Number((BigInt(id) >> 22n) % BigInt(of));

/** Whether a permission set holds all of these bits. */
export const allows = (permissions, bit) => (BigInt(permissions ?? 0) & bit) === bit;

export const SEND_MESSAGES = 1n << 11n;
export const SEND_MESSAGES_IN_THREADS = 1n << 38n;
