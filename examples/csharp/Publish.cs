// A game server's publisher in C#: tells on JetStream that the server is up, who joins and leaves, and that it stops.
// What happens on the server comes on standard input, in the place of a game's own hooks: `join ID NAME` and
// `leave ID NAME`.

using System.Runtime.InteropServices;
using System.Text.Json;
using NATS.Client.Core;
using NATS.Client.JetStream;

if (args is not [var url, var seedFile, var server])
{
    Console.Error.WriteLine("usage: publish URL SEED_FILE SERVER");
    return 2;
}

var seed = (await File.ReadAllTextAsync(seedFile)).Trim();
await using var nats = new NatsConnection(new NatsOpts
{
    Url = url,
    Name = "game server",
    RequestTimeout = TimeSpan.FromSeconds(5),
    // The option `Seed` alone names no user: this one finds the public key that belongs to the seed.
    AuthOpts = new NatsAuthOpts { AuthCredCallback = (_, _) => ValueTask.FromResult(NatsAuthCred.FromNkey(seed)) },
});
await nats.ConnectAsync();
var publisher = new Publisher(new NatsJSContext(nats), server);

// A signal ends the reading, not the process.
var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stopped.TrySetResult();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

await publisher.PublishAsync("events.started", new { });
while (true)
{
    var reading = Task.Run(Console.In.ReadLine);
    if (await Task.WhenAny(reading, stopped.Task) == stopped.Task || await reading is not { } line)
    {
        break;
    }

    try
    {
        await publisher.TellAsync(line);
    }
    catch (Exception error) when (error is NatsException or FormatException)
    {
        // One event that can't be told is no reason to tell no more.
        Console.Error.WriteLine(error.Message);
    }
}

await publisher.PublishAsync("events.stopping", new { });
// Here the game server shuts down, which may take a while.
await publisher.PublishAsync("events.stopped", new { });
return 0;

internal sealed class Publisher(NatsJSContext stream, string server)
{
    // All attempts together stay within two minutes, for which a stream remembers message ids unless it was told otherwise.
    private const int Attempts = 6;

    // Another one for each start: together with a count it makes the events' ids.
    private readonly Guid run = Guid.NewGuid();
    private long count;

    // Publishes one event and returns once it is stored. `what` is the subject behind the server's id.
    public async Task PublishAsync(string what, object payload)
    {
        var subject = $"v0.rust.servers.{server}.{what}";
        var body = JsonSerializer.SerializeToUtf8Bytes(payload);
        // The same for each attempt, so that the stream stores the event once, however often it arrives.
        var options = new NatsJSPubOpts { MsgId = $"{run}-{++count}" };
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            try
            {
                var answer = await stream.PublishAsync(subject, body, opts: options);
                // Not EnsureSuccess: it throws for a duplicate, which says that an earlier attempt was stored.
                if (answer.Error is null)
                {
                    return;
                }

                Console.Error.WriteLine($"{subject}, attempt {attempt}: {answer.Error.Description}");
            }
            catch (NatsException error)
            {
                Console.Error.WriteLine($"{subject}, attempt {attempt}: {error.Message}");
            }

            if (attempt < Attempts)
            {
                await Task.Delay(TimeSpan.FromSeconds(1 << Math.Min(attempt - 1, 3)));
            }
        }

        throw new NatsException($"{subject} was not stored");
    }

    public Task TellAsync(string line) => line.Split(' ', 3) switch
    {
        ["join", var id, var name] => PublishAsync($"players.{id}.events.connected", new { player = new { name } }),
        ["leave", var id, var name] => PublishAsync($"players.{id}.events.disconnected", new { player_name = name }),
        _ => throw new FormatException($"\"{line}\" is neither `join ID NAME` nor `leave ID NAME`"),
    };
}
