// Addresses: `#/channels/GUILD/CHANNEL`, so that a place can be linked to and framed.

/** @returns {{ guild?: string, channel?: string }} */
export function current() {
    const [, guild, channel] = /^#\/channels\/(\d+)(?:\/(\d+))?$/.exec(location.hash) ?? [];
    return { guild, channel };
}

export const address = (guild, channel) => `#/channels/${guild}${channel ? `/${channel}` : ""}`;
