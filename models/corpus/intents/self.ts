// Player lines about the character: name, trade, secret, past, family, dream, fear, love. Data only.
import { type Intent, intent } from '../fragment.ts';

export const self: Intent[] = [
  intent({
    name: 'name',
    topic: 'my name',
    needs: 'persona',
    lines: `What's your name?|Who are you?|May I ask your name?|What do they call you?|I didn't catch your name.|And you are?|Tell me your name.|
      What should I call you?|Do you have a name?|Who am I talking to?|Who might you be?|Your name, please?|Are you {name}?|
      I'd like to know your name.|How do people call you?|We haven't met. Who are you?|You know my name, but what's yours?|
      Could you tell me who you are?|What's your name, {trade}?|Introduce yourself.|Forgive me, what was your name again?`,
    refuse: `No names.|I won't say.|My name is my own.|I don't give my name to strangers.|You don't need to know my name.|No, I keep my name to myself.`,
    deflect: `A friend.|Nobody special.|I have many names.|Names change, faces stay.|Someone you just met.|People call me many things.`,
    half: `{a_trade}.|Just {a_trade}.|I'm {a_trade}, no more.|I'm {a_trade} at {place}, that must do.|They call me the {trade}.|Ask for the {trade}, everyone knows me.`,
    answer: `{name}.|I'm {name}.|{name}, {trade}.|My name is {name}.|They call me {name}.|I'm {name}, {a_trade} here in {town}.|
      My name is {name}, and I'm {a_trade}.|I'm {name} of {town}, {trade} at {place}.|The name is {name}, and this is {place}.`,
    step: `And yours?|Who are you?|Call me that.|And what do they call you?|Ask for me at {place} whenever you need something.|
      Tell me your name as well, and we're friends.|Remember it, and mention it at the gate.|Sit down and tell me who you are.`,
    talk: `Names matter in a town like {town}.|My mother had another name in mind.|There were three of us with that name in my class.|
      Few people ask for it.|A name is the first gift we get.|I forget names myself, but never faces.`,
    more: `I was named after my grandmother's brother.|Most people just call me the {trade}.|It's carved over the door of {place}.|It's an old name in these parts.`,
    quip: `The goose calls me boss.|Spelled with cheese.|My cat disagrees.|Not Kevin.`,
    joke: `My mother called me something longer, but only when I broke things.|I had a better name, but I lost it at cards.|
      My friends call me late, and it's usually true.|The goat calls me servant, and I answer.`,
    tint: `The wind calls me.|Names are borrowed feathers.|It means old rain.`,
    image: `My name is a small coat I've worn thin at the elbows.|Say it softly, and it sounds like a gate in the wind.|A name is a bell hung around an empty sky.|The river knows my name and never says it twice.`,
  }),
  intent({
    name: 'work',
    topic: 'my work',
    needs: 'persona',
    lines: `What do you do?|What do you do for a living?|What's your trade?|Are you {a_trade}?|What is it you do here?|What kind of work do you do?|
      What's your job?|Do you work here?|How do you earn your bread?|#long Have you been {a_trade} for long?|#like Do you like your work?|
      #like What does {a_trade} do all day?|Tell me about your work.|#like Is it hard to be {a_trade}?|#long How did you become {a_trade}?|What do you do at {place}?|
      #like How's work?|#like Busy day at work?|Is this your shop?|#long Why did you become {a_trade}?`,
    refuse: `My business.|I won't say.|I don't talk about work.|What I do is my own business.|No, I'm not discussing my work.|I've talked enough about work today.`,
    deflect: `A little of everything.|Odd jobs.|This and that.|I keep busy.|I do what has to be done.|Somebody has to do it.`,
    half: `I work here.|I'm at {place} most days.|A job like any other.|I work at {place}, and it's hard some days.|It feeds me, more or less.`,
    answer: `I'm {a_trade}.|{a_trade}, that's me.|I'm {a_trade} at {place}.|I've been {a_trade} for twenty years.|I'm {a_trade} here in {town}, and I like it.|
      I work at {place} as {a_trade}.|I became {a_trade} because my mother was one.|You're looking at the {trade} of {place}.|
      #long Twenty years.|#long Since my youth.|#long By chance.|#long I've been {a_trade} for twenty years.|#long I became {a_trade} because my mother was one.|#long It was that or the army, and I like my bed.|
      #like It's good work.|#like Busy, as always.|#like I like it.|#like It's hard, but I wouldn't change it.|#like Busy since the morning, and my back knows it.|#like The mornings are hard, and the evenings are good.`,
    step: `Want to try?|Need one?|Watch me work.|Come by in the morning, and I'll show you how it's done.|Do you need {a_trade}? Then you've found one.|
      If you want to learn it, start on {day}.|Have a look around, and ask what you like.|Tell your friends about {place}.`,
    talk: `The days start early.|My hands are never quite clean.|Nobody gets rich from it.|My father wanted me to be a priest.|Some days are better than others.|The winter is the slow season.`,
    more: `The best part is the people.|I learned it from an old master in {town}.|It took me seven years to get good at it.|I'd choose the same again.|There's always something left to learn.`,
    quip: `Mostly I nap.|The goat manages me.|I'm paid in soup.|Retired at heart.`,
    joke: `I work hard at looking as if I work hard.|My boss is terrible, and I work for myself.|
      I started at the bottom, and I still like it there.|The pay is bad, but at least the hours are long.`,
    tint: `Work hums like bees.|My hands dream it.|Each day is clay.`,
    image: `My days are beads, and work is the string.|The work wears me smooth like a stone in a stream.|My hands have learned a song my mouth can't sing.|Each morning the work waits like a patient horse.`,
  }),
  intent({
    name: 'secret',
    topic: 'my secret',
    needs: 'secret',
    lines: `Do you have a secret?|Tell me a secret.|What are you hiding?|You're hiding something.|What's your secret?|I know you have a secret.|
      #you You can trust me with your secret.|Is there something you aren't telling me?|Tell me something nobody knows about you.|
      What is it that you don't want me to know?|#you I can keep a secret. Tell me yours.|What's the truth about you?|Come on, what are you hiding?|
      People say you have a secret, {name}.|Share your secret with me.|I feel you're keeping something back.|Everybody has a secret. What's yours?|
      Tell me the thing you never told anyone.|Your eyes say you're hiding something.|What would you never admit?`,
    refuse: `Never.|No secrets here.|I won't say.|I'm not telling you my secret.|My secret stays with me.|No, and stop looking at me like that.|I'll take it to my grave.`,
    deflect: `Perhaps.|Who doesn't?|Everyone has one.|There may be something, and there may not.|You have sharp eyes.|A secret told is only gossip.`,
    half: `There's something.|Yes, one.|I did something once.|Yes, there's something, but I can only say half.|It has to do with my past, and I'm not proud of it.|I have one, and it keeps me awake.`,
    answer: `{secret}.|Fine: {secret}.|The truth is that {secret}.|Very quietly: {secret}.|I'll tell you: {secret}.|You want the truth, so here it is: {secret}.|
      Nobody knows it, but {secret}.|All right, between us, {secret}.|
      #you Fine: {secret}.|#you All right, between us, {secret}.|#you Since I trust you: {secret}.|#you {secret}.`,
    step: `Tell nobody.|Your turn.|Now yours?|Promise me that you'll tell nobody.|Now tell me one of yours, and we're even.|
      If you can help me with it, come back after dark.|Swear on your boots that it stays here.|Tell me what you'd do in my place.`,
    talk: `It's a heavy thing to carry.|I never speak of it at {place}.|The town would talk for a year.|My hands shake when I think of it.|You ask gently, and that's dangerous.`,
    more: `I've wanted to say it for years.|It began as a small thing and then it grew.|I feel lighter now.|Only {person} ever came close to guessing it.`,
    quip: `The goose suspects.|Sealed in cheese.|My cat blackmails me.|I blush easily.`,
    joke: `My second secret is that I'm very bad at the first one.|I'd tell you more, but the goose is taking notes.|
      I wrote it in a diary, and the mouse ate the best part.|I can keep a secret, it's the people I tell who can't.`,
    tint: `Secrets glow in darkness.|The dark keeps it warm.|It sleeps beneath snow.`,
    image: `A secret is a stone in the shoe of the heart.|It lies in me like a lamp at the bottom of a well.|I keep it folded small, like a letter in a hollow tree.|At night it knocks on my ribs and asks to be let out.`,
  }),
  intent({
    name: 'past',
    topic: 'my past',
    lines: `Where do you come from?|#long Were you born here?|Tell me about your past.|What were you like as a child?|How did you end up here?|
      #long Have you always lived here?|Where did you grow up?|What did you do before this?|Tell me about your childhood.|What's your story?|
      #long How long have you been here?|#long When did you come here?|What was your life like before?|#long Do you miss your old home?|
      #long You aren't from here, are you?|What brought you to this place?|Tell me something about your life.|What was your first job?|
      Did you have a happy childhood?|I'd like to hear your life story.`,
    refuse: `The past is past.|I won't say.|I don't look back.|That chapter is closed.|No, I don't tell that story.|My past is locked, and the key is lost.`,
    deflect: `Here and there.|Far away.|It was long ago.|It's not much of a story.|I came from behind the hills, like everyone.|I remember less each year.`,
    half: `From the north.|A small village.|I came by cart.|I grew up near the sea, and that's all I'll say.|I came here young and never left.|There was a farm, and then there wasn't.`,
    answer: `Born right here.|From the hills.|I grew up on a farm.|I was born in a village by the sea.|I came here at sixteen with one bag and no plan.|
      I grew up with four brothers in a house with two beds.|My family moved here when the mill closed.|I was a wild child who climbed every tree.|
      #long Nine years.|#long Born right here.|#long Since the flood.|#long I came here at sixteen with one bag and no plan.|#long I was born two streets from here.|#long I've been here for nine years, and I miss the sea.|#long My family moved here when the mill closed.`,
    step: `And you?|Where were you born?|Ask me more.|And where did you grow up?|Come by one evening, and I'll tell you the rest.|
      I can show you the house, it's near {landmark}.|Ask {person}, who knew me as a child.`,
    talk: `The years go faster than they used to.|I still have one toy from those days.|My knees remember more than my head.|Old friends write now and then.|We were poor, but we never noticed.`,
    more: `The first winter was the hardest.|My grandmother raised me.|I learned to work before I learned to write.|I went back once, and everything was smaller.`,
    quip: `Raised by geese.|Born with this hat.|I was shorter.|Soup made me.`,
    joke: `I was such an ugly baby that the goat cried.|I ran away from home twice, but I was back for supper.|
      I was the smartest of my class, and I was the only one in it.|My first word was "more", and my second was "pie".`,
    tint: `Childhood smelled of rain.|The past hums softly.|Yesterday still glows.`,
    image: `My childhood is a small lit window far behind me on the road.|I left home the way a leaf leaves, without a map.|Memory is an orchard where the apples never fall.|The house I grew up in still walks through my dreams.`,
  }),
  intent({
    name: 'family',
    topic: 'my family',
    lines: `Do you have a family?|Tell me about your family.|#partner Are you married?|#partner Do you have children?|Do you have any brothers or sisters?|
      How's your family?|What does your family do?|Where's your family?|#alone Is there someone waiting for you at home?|#alone Who do you live with?|
      #parents Are your parents still alive?|#partner Do you have a wife or a husband?|#parents What was your mother like?|#parents What was your father like?|
      Do you get along with your family?|#alone Do you live alone?|#partner Have you got any kids?|#parents Tell me about your mother.|How many brothers do you have?|Is your family from {town}?`,
    refuse: `That's private.|I won't say.|Leave them out of it.|I don't talk about my family.|No, my family is my own affair.`,
    deflect: `Somewhere.|It's complicated.|Families are families.|We don't write often.|You know how families are.|Blood is a long story.`,
    half: `A brother.|There's an aunt.|I have someone.|I have a sister, but we don't speak.|There are a few of us left.|I had a big family once.`,
    answer: `Two sisters.|A wife, three sons.|I live alone.|I have two sisters and a brother.|I'm married, and we have three children.|
      I live with my old mother, who still gives the orders.|My brother is a sailor, and my sister runs the farm.|It's just me and the cat these days.|
      #parents Kind and loud.|#parents Still alive.|#parents A good soul.|#parents My mother was small and loud and knew every song.|#parents My father was a quiet man with large hands.|#parents They live on the old farm and argue about the hens.|
      #alone I live alone.|#alone With my mother.|#alone A cat waits.|#alone I live with my old mother, who still gives the orders.|#alone It's just me and the cat these days.|#alone There are five of us in three rooms.|
      #partner Married, three children.|#partner Not married.|#partner Yes, two girls.|#partner I'm married, and we have three children.|#partner No, I never found the time to marry.|#partner I have two girls, and both are cleverer than I am.`,
    step: `And yours?|Come and meet them.|Come to supper.|And what about your own family?|Come to supper on {day} and meet them all.|
      If you see my brother on the road, greet him.|I can show you a picture of them.`,
    talk: `Sundays are the loud days.|My mother had a saying for everything.|A family is a lot of shoes by the door.|We quarrel at every feast and make up by midnight.|Letters from home make me quiet.`,
    more: `The youngest wants to be a sailor.|My mother's hands were never still.|We share one house and forty opinions.|I got my stubborn head from my father.`,
    quip: `All slightly bald.|The goose adopted me.|They ate my pie.|Noisy soup eaters.`,
    joke: `My mother-in-law visits twice a year, for six months each.|My brother has my father's nose, and my father wants it back.|
      My uncle snores so loudly that the neighbours sleep in the barn.|My family tree is more of a bush with opinions.`,
    tint: `We're leaves, one branch.|Home is a heartbeat.|Blood hums old songs.`,
    image: `A family is a boat where everyone rows in another direction.|My mother's voice is the lamp I still walk home by.|We're scattered like seeds, but we all flower in June.|My father was an oak, and I grew up in his shade.`,
  }),
  intent({
    name: 'dream',
    topic: 'my greatest wish',
    lines: `What do you dream of?|What's your greatest wish?|If you could have one wish, what would it be?|What do you want most?|What do you hope for?|
      Do you have a dream?|What would you do with a lot of gold?|Where would you go if you could?|What would make you happy?|
      What do you wish for?|Do you ever dream of leaving {town}?|What would you change about your life?|What's your biggest dream?|
      What are you hoping for, {name}?|If you were free, what would you do?|What do you long for?|Tell me your dream.|
      What would you do if you were rich?|Is there something you've always wanted?|What did you want to become?`,
    refuse: `I don't dream.|I won't say.|Wishes are private.|I don't share my wishes.|No, a wish told never comes true.`,
    deflect: `More sleep.|Who doesn't dream?|It changes.|Dreams don't pay the rent.|Ask me when I'm older.|A little of this, a little of that.`,
    half: `Something quiet.|To travel, perhaps.|A bigger house.|I'd like to leave, but I don't know where to.|I dream of the sea, though I've never said so.`,
    answer: `To see the sea.|A small garden.|To sing well.|I want to see the sea once before I'm old.|I dream of a house with a garden and nobody shouting.|
      I'd like to learn to read the stars.|I wish for one whole winter without debts.|I'd buy a boat and follow the coast until the money ends.`,
    step: `And yours?|Come along?|Help me pack.|And what do you dream of?|Come with me when I go.|If you ever pass the coast, send me a shell.|Help me save, and I'll take you along.`,
    talk: `I think about it while I work.|It sounds foolish when I say it aloud.|Nobody has asked me that in years.|My mother laughed when I told her.|Dreams are cheap, and still few people keep one.`,
    more: `I've saved a little already.|I even have a map of it.|In spring I nearly went.|I'd send you a letter from there.`,
    quip: `Endless cheese.|A taller hat.|Fewer geese.|Soup on tap.`,
    joke: `I wish for a chair that follows me around.|I dreamed I was a cake, and I woke up hungry for myself.|
      I want to be rich enough to lose my hat and not look for it.|My dream is to sleep, and my goose dreams of preventing it.`,
    tint: `Dreams have warm feet.|I wish like tides.|Hope is candle-shaped.`,
    image: `My wish is a small boat tied up behind my eyes.|I keep my dream under the floor, where it grows toward the light.|Somewhere a door stands open with the sea in it.|At night my bed drifts off toward islands made of bread and music.`,
  }),
  intent({
    name: 'fear',
    topic: 'my worst fear',
    lines: `What are you afraid of?|What scares you?|Are you afraid of anything?|What's your biggest fear?|Do you ever get scared?|
      What keeps you up at night?|Are you afraid of the dark?|You look frightened. Why?|What frightens you most?|Is there anything you fear?|
      Are you scared of {danger}?|Do you fear death?|What gives you nightmares?|Have you ever been really afraid?|
      What would make you run?|What are you scared of, {name}?|Does anything scare you?|Tell me your worst fear.|What do you worry about?|Do you have bad dreams?`,
    refuse: `Nothing.|I won't say.|I don't discuss fear.|I fear nothing I'd tell you.|No, a fear spoken aloud grows.`,
    deflect: `Everyone fears something.|Not much.|The usual things.|It depends on the night.|Ask me in the dark.|I keep the lamp on, that's all.`,
    half: `The dark, a little.|Deep water.|Certain noises.|There's a sound I don't like, and I'd rather not name it.|I'm afraid of a place I won't go near.`,
    answer: `Deep water.|{danger}.|Being forgotten.|I'm afraid of {danger}.|I fear deep water, since I nearly drowned once.|
      Being alone when I'm old, that scares me most.|I'm afraid that everyone I know will leave {town}.|I can't stand small rooms without windows.`,
    step: `And you?|Stay with me.|Keep a lamp.|And what are you afraid of?|If you're scared at night, keep a candle by the bed.|
      Walk with me past {landmark}, and I'll be braver.|Tell me yours, and both get smaller.`,
    talk: `Nights are long in winter.|My sister used to hold my hand.|Brave people are only good at hiding it.|A noise woke me again last night.|Fear is a poor cook.`,
    more: `It began when I was a child.|I still dream about it.|I'm better at hiding it now.|Only {person} knows about it.`,
    quip: `Geese, mainly.|My cooking.|Cold soup.|Ticklish ghosts.`,
    joke: `I fear nothing but geese, and geese know it.|I'm scared of heights, so I stay short.|
      My mother-in-law is coming on {day}, and I've packed.|I once ran from my own hat for a mile.`,
    tint: `Fear has cold feathers.|Shadows know my name.|Dread drips like thaw.`,
    image: `Fear is a guest who never takes off his coat.|The dark has a hundred doors, and I can hear them breathing.|My courage is a candle that I carry behind my hand.|It sits at the foot of my bed like a large wet bird.`,
  }),
  intent({
    name: 'love',
    topic: 'love',
    lines: `Are you in love?|Have you ever been in love?|Is there someone you love?|#advice Do you believe in love?|Who has your heart?|Do you have a sweetheart?|
      Tell me about your first love.|Is there someone special?|Why aren't you married?|Do you love someone, {name}?|#advice What's love?|
      Has anyone broken your heart?|#advice I think I'm in love. What should I do?|#advice How do I win someone's heart?|Who do you think of at night?|
      Did you ever lose someone you loved?|Do you write love letters?|#advice I like someone, but I'm too shy. Help me.|Were you ever lucky in love?|#advice Can love last?`,
    refuse: `That's private.|I won't say.|No talk of love.|My heart is my own business.|No, I don't talk about love.`,
    deflect: `Perhaps.|Once upon a time.|Love is love.|Ask a poet.|The heart keeps its own calendar.|Some people find it and some find a dog.`,
    half: `There was someone.|Once, long ago.|I like someone.|There's a person, but I'll name no names.|I was in love once, and it rained all summer.|
      #advice Be patient.|#advice It takes time, I suppose.`,
    answer: `Yes, once.|I am.|With {person}.|I've loved {person} for seven years.|I was in love once, and we still write at New Year.|
      Yes, and I'll ask for a dance at the next feast.|Love lasts if you feed it, like a fire.|I lost my heart to a sailor, and the sea kept both.|
      #advice Say it soon.|#advice Be honest.|#advice Bring bread.|#advice Say it soon, before somebody else does.|#advice Love lasts if you feed it, like a fire.|#advice Bring bread instead of flowers, it's remembered longer.|#advice Ask for a walk by the river and say one true thing.`,
    step: `Write a letter.|Be brave.|And you?|Write a short letter and say one true thing.|Ask for a walk by the river, that's how I'd do it.|
      Bring bread instead of flowers, it's remembered longer.|Tell me about yours, and I'll give you advice.`,
    talk: `Spring makes fools of us all.|My grandmother married at seventeen.|The young think they invented it.|Songs lie about it, but they lie well.|A kind word goes further than a ring.`,
    more: `We danced once at {festival}.|I still keep the ribbon.|It taught me patience.|Nobody else in {town} knows.`,
    quip: `Only with cheese.|The goose said no.|My pillow knows.|It gave me hiccups.`,
    joke: `I gave my heart away, and it came back with a note.|I kissed a frog once, and he asked to be friends.|
      Love is blind, so it stepped on my foot.|My first love married the baker, and I can't blame her, because of the cake.`,
    tint: `Love moults and sings.|Hearts are slow lanterns.|It blooms under snow.`,
    image: `Love came in like a swallow and built a nest in the chimney.|My heart is a bell, and only one hand can ring it.|Two lonely lamps can make one warm window.|Love is a river that forgives each stone.`,
  }),
  intent({
    name: 'introduce',
    topic: '',
    lines: `My name is {player}.|I'm {player}.|Call me {player}.|They call me {player}.|Hello, I'm {player}.|I am {player}, and I'm new here.|
      {player} is my name.|You can call me {player}.|Let me introduce myself: I'm {player}.|I'm {player}, a traveller.|The name is {player}.|
      I should say who I am: {player}.|By the way, I'm {player}.|My friends call me {player}.|I'm {player}. And you?|It's {player}, at your service.|
      Hi, {player} here.|People know me as {player}.|I'm called {player}.|We haven't met, I'm {player}.`,
    refuse: `I don't care.|I won't remember.|Keep your name.|I didn't ask for your name.|Your name means nothing to me.|I know too many people already.`,
    deflect: `Hm.|If you say so.|Is it?|Names are easy to say.|I've known others with that name.|You don't look like it.`,
    half: `{player}, then.|All right, {player}.|So you're {player}.|{player}, I'll try to remember that.|Fine, {player}, I heard you.`,
    answer: `Welcome, {player}.|Hello, {player}!|Good name, {player}.|Nice to meet you, {player}.|Good to meet you, {player}.|Welcome to {town}, {player}.|
      {player} is a fine name, welcome.|It's a pleasure, {player}, I'm {name}.|Well met, {player}, come in.|I'll remember you, {player}.`,
    step: `How can I help?|Sit down.|What brings you?|How can I help you, {player}?|Sit down, {player}, and tell me where you come from.|
      If anyone troubles you in {town}, say that you know me.|Let me show you around, {player}.|Write your name in the guest book over there.`,
    talk: `I meet few people by name.|My cousin had a dog with that name.|It suits your face.|I'm better with faces than with names.|A name makes a stranger half a friend.`,
    more: `I'll tell the others at {place}.|Now you're no stranger anymore.|There was a {player} in an old song.|I'll ask for you by name next time.`,
    quip: `I'm also hungry.|The goose is Captain.|Easy to rhyme.|My hat says hello.`,
    joke: `I had a goat called {player}, and she was very clever.|I'll write it on my hand, next to the soup recipe.|
      I'll forget it by noon, but I'll feel terrible about it.|That's funny, my left boot has the same name.`,
    tint: `It rings like glass.|Your name smells rainy.|The wind tasted it.`,
    image: `Your name lands on the table like a small bright coin.|It sounds like a door opening in an orchard.|I'll keep your name in the drawer with the spare stars.|A new name in this room is a window in a wall.`,
  }),
  intent({
    name: 'recall',
    topic: 'your name',
    after: ['introduce'],
    looksFarBack: true,
    lines: `Do you remember my name?|What's my name?|What was my name again?|Who am I?|Have you forgotten my name already?|Say my name.|
      Do you still know who I am?|Did you remember what I'm called?|So, what do they call me?|I told you my name. What was it?|
      Do you know my name?|Can you remember who I am?|Quick, what's my name?|What did I say my name was?|You know my name, don't you?|
      Remind me, what did I tell you my name was?|And my name is?|Tell me my own name.|Let's see if you listened. Who am I?|Have you kept my name in mind?`,
    refuse: `No.|I won't say it.|I didn't listen.|I don't keep names.|No, names are not my job.`,
    deflect: `Perhaps.|It's on my tongue.|Something short.|A traveller, I believe.|You look like someone I know.`,
    half: `Wait, {player}?|Maybe {player}.|{player}, or was it another?|It was {player}, if I heard it right.|I'd guess {player}, but don't be angry if not.`,
    answer: `{player}.|{player}, of course.|You're {player}.|Your name is {player}.|You're {player}, I remember it well.|
      Of course I remember, you're {player}.|You told me that you're {player}.`,
    step: `Am I right?|Remember mine?|Right?|Do you still know mine?|Now ask me something harder, {player}.|I'll write it on the wall, so it stays.|Tell me your family name too, and I'll keep both.`,
    talk: `I listen better than people think.|My memory is good before noon.|You only told me once.|Some names stay, and some fly off.`,
    more: `I said it twice to myself so it would stay.|It's hard to forget a name like that.|You told me at the start.|I never forget a guest.`,
    quip: `The goose whispered it.|Not Kevin, then.|I ate my notes.|My hat knew.`,
    joke: `I wrote it on a bun, and then I got hungry.|I remembered it by thinking of a goat, so please don't ask.|
      You're the one with the nose, I remember the nose.|I tied a knot in my sock for it, and now my foot hurts.`,
    tint: `It still rings softly.|Names sleep like seeds.|Echoes kept it.`,
    image: `Your name stayed here like the warmth in an empty chair.|I kept it the way a pocket keeps a shell.|It rang once in this room, and the walls still hum.`,
  }),
];
