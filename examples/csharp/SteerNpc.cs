// A client of /v1/npcs over plain HTTP, for .NET, Mono and Unity: no package beyond the base library, no event streams to parse.
// The game's server makes characters and sessions with its key; a player's machine says lines with a token the server minted for it.
using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Steer
{
    [DataContract]
    public sealed class Session
    {
        [DataMember(Name = "id")] public string Id;
        [DataMember(Name = "greeting")] public string Greeting;
        [DataMember(Name = "relationship")] public double Relationship;
    }

    [DataContract]
    public sealed class Steering
    {
        [DataMember(Name = "requested")] public Dictionary<string, double> Requested;
        [DataMember(Name = "applied")] public Dictionary<string, double> Applied;
    }

    [DataContract]
    public sealed class Line
    {
        [DataMember(Name = "id")] public string Id;
        [DataMember(Name = "text")] public string Text;
        [DataMember(Name = "steering")] public Steering Steering;
        /// <summary>One of the character's actions; null when it does nothing.</summary>
        [DataMember(Name = "action")] public string Action;
        /// <summary>The line did not come in time, and this is what is said instead.</summary>
        [DataMember(Name = "fallback")] public bool Fallback;
    }

    [DataContract]
    public sealed class Contribution
    {
        [DataMember(Name = "source")] public string Source;
        [DataMember(Name = "event")] public string Event;
        [DataMember(Name = "amount")] public double Amount;
        [DataMember(Name = "remaining")] public double Remaining;
    }

    [DataContract]
    public sealed class AttributeMood
    {
        [DataMember(Name = "value")] public double Value;
        [DataMember(Name = "baseline")] public double Baseline;
        [DataMember(Name = "contributions")] public List<Contribution> Contributions;
    }

    [DataContract]
    public sealed class Mood
    {
        [DataMember(Name = "relationship")] public double Relationship;
        [DataMember(Name = "attributes")] public Dictionary<string, AttributeMood> Attributes;
    }

    [DataContract]
    public sealed class Token
    {
        [DataMember(Name = "token")] public string Value;
        [DataMember(Name = "expires_at")] public double ExpiresAt;
    }

    /// <summary>What the server refused: its code, the field it is about, and a sentence that says what to do.</summary>
    public sealed class SteerException : Exception
    {
        public readonly string Code;
        public readonly string Param;

        internal SteerException(string code, string param, string message) : base(message)
        {
            Code = code;
            Param = param;
        }
    }

    /// <summary>One server, under one key or token. Safe to use from several threads.</summary>
    public sealed class NpcClient : IDisposable
    {
        private static readonly DataContractJsonSerializerSettings Settings =
            new DataContractJsonSerializerSettings { UseSimpleDictionaryFormat = true };
        private readonly HttpClient http;

        public NpcClient(string url, string keyOrToken = null)
        {
            http = new HttpClient { BaseAddress = new Uri(url), Timeout = TimeSpan.FromSeconds(60) };
            if (keyOrToken != null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", keyOrToken);
        }

        /// <summary>Makes a character from JSON as POST /v1/npcs takes it; one with that id already is replaced.</summary>
        public async Task PutCharacter(string id, string json, CancellationToken cancel = default(CancellationToken))
        {
            try
            {
                await Send<object>(HttpMethod.Put, Path(id), json, cancel).ConfigureAwait(false);
            }
            catch (SteerException refused) when (refused.Code == "not_found")
            {
                var named = "{\"id\":" + Quote(id) + "," + json.TrimStart().Substring(1);
                await Send<object>(HttpMethod.Post, "/v1/npcs", named, cancel).ConfigureAwait(false);
            }
        }

        public Task<Session> Begin(string npc, string playerId, string playerName, CancellationToken cancel = default(CancellationToken))
        {
            var body = "{\"player_id\":" + Quote(playerId) + ",\"player_name\":" + Quote(playerName) + "}";
            return Send<Session>(HttpMethod.Post, Path(npc, "sessions"), body, cancel);
        }

        /// <summary>Tells what happened in the game; the answer is the mood it leads to.</summary>
        public Task<Mood> Tell(string npc, string session, string type, CancellationToken cancel = default(CancellationToken))
        {
            return Send<Mood>(HttpMethod.Post, Path(npc, "sessions", session, "events"), "{\"type\":" + Quote(type) + "}", cancel);
        }

        public Task<Mood> GetMood(string npc, string session, CancellationToken cancel = default(CancellationToken))
        {
            return Send<Mood>(HttpMethod.Get, Path(npc, "sessions", session, "mood"), null, cancel);
        }

        /// <summary>The character's answer. Cancelling breaks the line off on the server as well.</summary>
        public Task<Line> Say(string npc, string session, string text, int maxMs = 2000, CancellationToken cancel = default(CancellationToken))
        {
            var body = "{\"text\":" + Quote(text) + ",\"max_ms\":" + maxMs + ",\"interrupt\":true}";
            return Send<Line>(HttpMethod.Post, Path(npc, "sessions", session, "say"), body, cancel);
        }

        /// <summary>A token for the player's machine, good for this session alone.</summary>
        public Task<Token> Mint(string npc, string session, CancellationToken cancel = default(CancellationToken))
        {
            return Send<Token>(HttpMethod.Post, Path(npc, "sessions", session, "tokens"), "{}", cancel);
        }

        public void Dispose()
        {
            http.Dispose();
        }

        private async Task<T> Send<T>(HttpMethod method, string path, string body, CancellationToken cancel)
        {
            using (var request = new HttpRequestMessage(method, path))
            {
                if (body != null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
                using (var reply = await http.SendAsync(request, cancel).ConfigureAwait(false))
                {
                    var answer = await reply.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
                    if (!reply.IsSuccessStatusCode) throw Read<Failure>(answer).Error.ToException();
                    return typeof(T) == typeof(object) ? default(T) : Read<T>(answer);
                }
            }
        }

        private static T Read<T>(byte[] json)
        {
            using (var stream = new MemoryStream(json))
                return (T)new DataContractJsonSerializer(typeof(T), Settings).ReadObject(stream);
        }

        private static string Path(params string[] parts)
        {
            var path = new StringBuilder("/v1/npcs");
            foreach (var part in parts) path.Append('/').Append(Uri.EscapeDataString(part));
            return path.ToString();
        }

        private static string Quote(string text)
        {
            using (var stream = new MemoryStream())
            {
                new DataContractJsonSerializer(typeof(string)).WriteObject(stream, text);
                return Encoding.UTF8.GetString(stream.ToArray());
            }
        }

        [DataContract]
        private sealed class Failure
        {
            [DataMember(Name = "error")] public Detail Error = null;
        }

        [DataContract]
        private sealed class Detail
        {
            [DataMember(Name = "code")] public string Code = null;
            [DataMember(Name = "param")] public string Param = null;
            [DataMember(Name = "message")] public string Message = null;

            public SteerException ToException()
            {
                return new SteerException(Code, Param, Message);
            }
        }
    }
}
