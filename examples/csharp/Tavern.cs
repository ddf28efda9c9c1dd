// What a game's server and a player's machine each do with the client, in one program.
//
//   mcs -r:System.Net.Http -r:System.Runtime.Serialization -out:tavern.exe SteerNpc.cs Tavern.cs && mono tavern.exe http://127.0.0.1:8080
using System;
using System.Threading.Tasks;
using Steer;

public static class Tavern
{
    private const string Gate =
        @"{""name"": ""Harl"", ""persona"": ""You are Harl, a guard at the East Gate in Fallowmere. Mood: bored."",
           ""greeting"": ""Halt, {{user}}."",
           ""attributes"": {""formality"": 3, ""verbosity"": 1},
           ""rules"": [{""event"": ""player.bribed"", ""changes"": {""helpfulness"": 1, ""formality"": -2}, ""half_life_s"": 300, ""relationship"": 0.3},
                       {""event"": ""player.insulted"", ""changes"": {""toxicity"": 2, ""helpfulness"": -3}, ""half_life_s"": 120}],
           ""fallback"": ""{{char}} looks past you.""}";

    public static void Main(string[] args)
    {
        Play(args[0], args.Length > 1 ? args[1] : null).GetAwaiter().GetResult();
    }

    private static async Task Play(string url, string key)
    {
        using (var server = new NpcClient(url, key))
        {
            await server.PutCharacter("harl", Gate);
            var session = await server.Begin("harl", "csharp-player", "Ann");
            Console.WriteLine("Harl: " + session.Greeting);
            var token = await server.Mint("harl", session.Id);
            using (var player = new NpcClient(url, token.Value))
            {
                await Speak(player, session, "Good evening. May I pass?");
                Show(await server.Tell("harl", session.Id, "player.insulted"));
                await Speak(player, session, "Let me through!");
                try
                {
                    await player.Tell("harl", session.Id, "player.bribed");
                }
                catch (SteerException refused)
                {
                    Console.WriteLine("  refused: " + refused.Code);
                }
                Show(await server.Tell("harl", session.Id, "player.bribed"));
                await Speak(player, session, "And now?");
            }
        }
    }

    private static async Task Speak(NpcClient player, Session session, string text)
    {
        Console.WriteLine("Ann: " + text);
        var line = await player.Say("harl", session.Id, text);
        Console.WriteLine("Harl: " + line.Text);
    }

    private static void Show(Mood mood)
    {
        foreach (var attribute in mood.Attributes)
            if (attribute.Value.Contributions.Count > 0)
                Console.WriteLine("  " + attribute.Key + " " + attribute.Value.Baseline + " -> " + attribute.Value.Value);
    }
}
