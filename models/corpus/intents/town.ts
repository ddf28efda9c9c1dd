// Player lines about the town: directions, distance, place, rumours and their source, rulers, persons. Data only.
import { type Intent, intent } from '../fragment.ts';

export const town: Intent[] = [
  intent({
    name: 'directions',
    topic: 'the way to {landmark}',
    lines: `Where is {landmark}?|How do I get to {landmark}?|Can you tell me the way to {landmark}?|Which way is {landmark}?|I'm looking for {landmark}.|
      I need to find {landmark}.|Could you point me to {landmark}?|Do you know where {landmark} is?|I'm lost. Where is {landmark}?|
      What's the best way to {landmark}?|Is {landmark} near here?|Please show me the way to {landmark}.|How can I reach {landmark}?|
      Where do I find {landmark}?|I want to go to {landmark}.|Am I on the right road to {landmark}?|Do I turn left or right for {landmark}?|
      Someone is waiting for me at {landmark}. Where is it?|I can't find {landmark}.|Directions to {landmark}, please.|Tell me how to get to {landmark}.`,
    refuse: `Find it yourself.|I won't say.|I don't give directions.|I won't send a stranger to {landmark}.|You have no business at {landmark}.|No, look for {landmark} yourself.`,
    deflect: `Somewhere.|Not far.|Ask a guard.|It's around here somewhere.|Follow the people, they often know.|You'd find {landmark} on a good map.|{landmark} moves less than you do, so keep looking.`,
    half: `Over there.|That way, roughly.|Past the square.|It's in that part of town, more or less.|Head for the square and ask again.|I think it's {route}, but I'm not sure.|Somewhere beyond the houses.`,
    answer: `{route}.|Go {route}.|It's {route}.|{landmark} is {route}.|You go {route}.|For {landmark}, go {route}.|You'll find {landmark} {route}.|
      From here it's {route}.|The way is simple: {route}.|Walk {route}, and you're at {landmark}.`,
    step: `Follow me.|Take my lantern.|Shall I draw it?|It takes {distance}.|I'll walk with you to the first corner.|Let me draw you a little map.|
      If you get lost, ask for {person}.|Go now, while it's light, and you'll be there in {distance}.|Look for the tall chimney, then you can't miss it.`,
    talk: `The streets of {town} were laid out by cows.|Half the signs point the wrong way.|I walk that way on my free day.|
      People get lost here all the time.|The road there has more holes than stones.|They keep renaming the streets.`,
    more: `You'll smell it before you see it.|Keep the hill on your left.|There's a red door at the corner.|It's the only path with good light.|Everyone in {town} knows the spot.|It's an easy walk.`,
    quip: `Mind the geese.|Don't follow the goat.|Left is overrated.|Ask the third duck.`,
    joke: `If you meet a cow, you've gone too far, and so has the cow.|The last man I sent there sends postcards now.|
      I know the way so well that my boots go without me.|Turn left where the big tree used to be before the goat.|I got lost there on my own wedding day.`,
    tint: `The road knows it.|Follow the swallows.|The path hums quietly.`,
    image: `The road runs there like a thread through a needle.|{landmark} sits at the end of the street like the last word of a song.|Follow the light, it leans that way in the evening.|The streets curl round it like a cat round a warm stone.`,
  }),
  intent({
    name: 'distance',
    topic: 'the distance to {landmark}',
    after: ['directions'],
    lines: `Is it far?|How far is it?|How long does it take?|Can I walk there?|Is it a long way?|Will I get there before dark?|How far is {landmark} from here?|
      How many miles is that?|Can I make it today?|Do I need a horse for that?|Is that a long walk?|How long will I be on the road?|
      And how far would that be?|Is it close?|Could I be back by evening?|What's the distance?|How much time should I plan?|
      Is it further than it looks?|Would I reach it before night?|How long on foot?`,
    refuse: `Walk and see.|I won't say.|I don't count steps for strangers.|Find out with your own feet.|No, measure it yourself.`,
    deflect: `It depends.|Not so far.|Far enough.|It's as far as it needs to be.|That depends on your legs.|Some find it short and some find it long.`,
    half: `A fair walk.|Not too far.|Under a day.|You can walk it, I think.|It's further than it looks.|You'd be back by night, more or less.`,
    answer: `{distance}.|About {distance}.|It's {distance}.|To {landmark} it's {distance}.|You need {distance} from here.|From {place} it takes {distance}.|I'd say it's {distance}, no more.`,
    step: `Start now.|Take water.|Rest halfway.|Take water with you, there's no well on the way.|Start now, and you'll be there before dark.|
      You could ask for a ride at the gate.|Rest at the bridge, that's halfway.|I'd wear good boots for it.`,
    talk: `Everything seems far in the rain.|I walked it every day when I was young.|My boots know that road well.|The last stretch is the hardest.|Time passes oddly on that road.`,
    more: `The road is flat for most of it.|You'll have the wind behind you.|There's shade along the way.|Carts go there in the morning.`,
    quip: `Shorter for geese.|Longer with cheese.|Ask your boots.|Twelve songs, roughly.`,
    joke: `It's two naps and a sandwich from here.|A goat does it faster, but a goat doesn't stop for cake.|
      My grandmother ran it in an hour, chased by a goose.|It's uphill both ways, if you ask my knees.`,
    tint: `Roads stretch like cats.|One cloud from here.|Distance is only mist.`,
    image: `Distance is a slow animal, and it likes to be walked.|The miles lie there like beads on a string.|Far is only near with fog in front of it.|The road breathes in when you hurry.`,
  }),
  intent({
    name: 'whereami',
    topic: 'this place',
    needs: 'persona',
    lines: `Where am I?|What is this place?|What's this town called?|Which town is this?|What do you call this place?|Where have I come to?|
      I don't know where I am.|Is this {town}?|Can you tell me where we are?|What place is this?|Tell me about this place.|What's the name of this house?|
      I woke up here. Where am I?|Am I in {town}?|Where did this road bring me?|What's this town like?|Is this {place}?|
      I've never been here before. What is it called?|Where exactly are we?|What can you tell me about {town}?`,
    refuse: `Look around.|You should know that.|I'm not a signpost.|I won't tell you where you are.|If you don't know, you shouldn't be here.`,
    deflect: `Here.|Where the road ends.|Somewhere safe.|You're where you're standing.|A place like any other.|Far from where you started, I think.`,
    half: `A town.|Near the river.|You're in a small town in the hills.|It's {place}, but I won't say which town.|Not far from the border.`,
    answer: `{town}.|This is {town}.|{place}, in {town}.|You're in {town}.|This is {place} in {town}.|You're at {place}, in the town of {town}.|
      They call it {town}, and this is {place}.|Welcome to {town}, you're standing in {place}.`,
    step: `Look around.|Stay a while.|Need a map?|Go up the hill and you can see all of {town}.|Shall I show you around {place}?|
      If you need a bed, ask me.|Start at the market, everyone does.|Tell me where you want to be, and I'll point the way.`,
    talk: `Most people arrive here by mistake.|The sign fell down in the last storm.|There isn't much to see, but the bread is good.|I've lived here longer than I planned.|Maps always put us in the wrong spot.`,
    more: `About nine hundred people live here.|The market is on {day}.|People here are friendly after the third visit.|The best view is from {landmark}.|It's old, older than the road.`,
    quip: `Population: mostly geese.|Mind the geese.|We lost our sign.|Not the moon.`,
    joke: `You're in the middle of nowhere, but we're close to the edge of it.|It's so small here that both ends have the same sign.|
      Our town motto is "Sorry about the goose".|You're in my way, to be exact, but you're welcome.`,
    tint: `The roofs dream here.|Fog signs its name.|Old stones hum it.`,
    image: `{town} lies in the valley like a button on a green coat.|The roofs lean together and tell each other the weather.|This is where the road sits down to rest.|At dusk the windows light up like a second set of stars.`,
  }),
  intent({
    name: 'rumour',
    topic: 'the latest gossip',
    lines: `Any news?|What's new in {town}?|Have you heard any rumours?|What's the latest gossip?|Heard anything interesting?|
      What are people talking about?|Any rumours lately?|Tell me the news.|What do they say in {town}?|Have you heard something strange?|
      Do you know any gossip?|What's happening around here?|I'd love to hear some gossip.|Has anything happened lately?|
      What's the word on the street?|Is there any news I should know?|You must hear a lot here. Any news?|Did I miss anything?|
      I've been away. What's the news?|Tell me a rumour.|What's going on in this town?`,
    refuse: `I don't gossip.|No gossip here.|My ears are closed.|I don't repeat what I hear.|No, gossip starts fires.|I won't carry tales to you.`,
    deflect: `Not much.|The usual.|People talk.|There's always something.|I don't listen closely.|Old news, mostly.|One hears this and that.`,
    half: `Something odd happened.|Strange things, lately.|There's talk of trouble.|I heard something, but only half of it.|There was a noise about it, but nobody knows more.|Someone saw something near {landmark}.`,
    answer: `They say {rumour}.|I heard {rumour}.|{rumour}.|People say that {rumour}.|I heard that {rumour}.|Word has it that {rumour}.|
      The whole town says {rumour}.|A little bird told me that {rumour}.|The news is that {rumour}.|Believe it or not, {rumour}.`,
    step: `Ask {person}.|Go and see.|Tell nobody.|Ask {person}, who saw it happen.|Go to {landmark} tonight and see for yourself.|
      Come back on {day}, I'll know more by then.|Buy {person} a drink, and you'll hear the rest.|Keep it to yourself until {day}.`,
    talk: `News travels fast in {town}.|Every story grows a tail by evening.|I hear more than I want to.|Walls are thin around here.|Half of it is true on a good day.|People talk most when they know least.`,
    more: `I had it from {person}.|Nobody dares to say it aloud.|The guards don't want it known.|It happened just before sunrise.|I wouldn't have believed it last year.|That makes three times this month.`,
    quip: `The goose confirmed it.|Sworn by chickens.|My cat knew first.|Unless I dreamed it.`,
    joke: `The best gossip here is about me, and I started most of it.|My sources are a drunk, a duck and the drunk's duck.|
      Yesterday's big news was a hat, so don't expect too much.|I promised to tell nobody, so I'll tell you quietly.`,
    tint: `Whispers have wings here.|Even shadows gossip.|News blows like pollen.`,
    image: `Rumour runs through {town} like a fox with a lit tail.|The news came in with the fog and sat down in every kitchen.|A whisper is a seed, and this town is good earth.|Stories pass from roof to roof like sparks.`,
  }),
  intent({
    name: 'source',
    topic: 'where I heard it',
    after: ['rumour', 'legend', 'danger'],
    lines: `Who told you that?|Where did you hear that?|Is that true?|Are you sure?|How do you know?|Who says so?|Can I believe that?|
      Did you see it yourself?|Who else knows about this?|Is that just a story?|Do you really believe that?|Where does that come from?|
      And who told you?|How can you be so sure?|Did {person} tell you that?|Is there any proof?|That's hard to believe.|
      Who did you hear it from?|Honestly? Who saw it?|Are you making that up?`,
    refuse: `I won't say.|No names.|I never name names.|I protect the people who talk to me.|No, you won't get a name from me.|Believe it or leave it.`,
    deflect: `People say so.|Someone said it.|I forget who.|It was in the air.|One hears things.|Everyone and nobody.`,
    half: `A friend.|Someone at the market.|A person you can trust.|Somebody who was there, more or less.|I heard it from a neighbour of a neighbour.|I saw a part of it.`,
    answer: `{person}.|From {person}.|{person} told me.|I heard it from {person}.|{person} saw it and told me the same night.|
      I had it straight from {person}.|It was {person}, who never lies.|{person} told me about it at {landmark}.`,
    step: `Ask them yourself.|Go to {landmark}.|See for yourself.|You can find {person} at {landmark}.|Go there at dusk and see for yourself.|
      Say that I sent you, and you'll hear the rest.|Ask two more people, and you'll know.|I can introduce you on {day}.`,
    talk: `I was surprised as well.|Proof is rare in this part of the world.|I've heard stranger things and seen them come true.|Not everyone wants to hear it.|You ask like a judge.`,
    more: `There were two others who saw it.|The story hasn't changed in three tellings.|I'd swear to it.|I saw the tracks myself in the morning.`,
    quip: `My goose swears it.|A reliable cabbage.|The duck testified.|Cross my cheese.`,
    joke: `I heard it from myself, and I'm usually right about me.|My source is a horse, and he never horses around.|
      It was written in my soup, in the noodles.|I read it in the face of a very honest turnip.`,
    tint: `Truth wears thin shoes.|Echoes brought it here.|The fog confessed it.`,
    image: `Truth came to my door wet and without a name.|The story left its footprints on my floor.|It was in the air like snow before it falls.|A secret is a bird, and I only saw it fly past.`,
  }),
  intent({
    name: 'ruler',
    topic: 'the ruler of {town}',
    setting: 'game',
    lines: `Who rules here?|Who's in charge here?|Who is the lord of {town}?|Tell me about your ruler.|#like What do you think of {ruler}?|
      #like Is {ruler} a good ruler?|Who governs {town}?|Do you have a king here?|Who gives the orders in {town}?|#like What kind of person is {ruler}?|
      #like Do people like {ruler}?|#met Have you ever met {ruler}?|Who owns this land?|#met Whose banner is that?|#like Is {ruler} fair?|#met Do you serve {ruler}?|
      #met I need to speak with whoever rules here.|#met Who collects the taxes here?|Who makes the laws in {town}?|#like What do people say about {ruler}?`,
    refuse: `No politics.|I won't say.|I don't talk about rulers.|I like my head where it is.|I say nothing about {ruler}.|The walls have ears, so no.`,
    deflect: `Someone does.|Far above me.|Crowns come and go.|It makes little difference to me.|They never ask what I think.|Someone with a bigger house than mine.`,
    half: `Someone up there.|{ruler}, they say.|It's {ruler}, for now.|Someone in the castle, I never saw the face.|{ruler}, but others give the orders.|
      #like Not the worst.|#like It depends who you ask.`,
    answer: `{ruler}.|{ruler} rules.|{ruler} rules {town}.|{ruler} has ruled {town} for ten years.|Around here {ruler} gives the orders.|
      The ruler is {ruler}, who is hard but fair.|{ruler} does, and most of us are content.|That's {ruler}, who taxes the rich and forgets the poor.|
      #like Hard but fair.|#like Better than most.|#like People like {ruler}.|#like {ruler} is hard but fair.|#like {ruler} taxes the rich and forgets the poor.|#like People like {ruler}, at least since the bridge was built.|#like The last one was worse, so we don't complain.|
      #met That's {ruler}.|#met Yes, {ruler}.|#met {ruler}, once.|#met That would be {ruler}, and I met them only once.|#met It's all {ruler} here, the banner and the taxes.|#met For that you must ask for {ruler} at court.`,
    step: `Ask at court.|Bow low.|Bring a gift.|On {day} {ruler} hears anyone who comes.|If you want to meet {ruler}, ask {person} first.|
      Bow low, speak briefly and you'll be heard.|Go to the castle before noon and ask for a hearing.`,
    talk: `Taxes went up again last year.|Rulers change, but the mud stays.|They rode past here once with forty horses.|A crown doesn't stop the rain.|My grandfather knew three of them.`,
    more: `The castle is never short of candles.|The roads are better than they were.|There's no heir yet, and people worry.|Every autumn there's a feast for the whole town.`,
    quip: `The geese, really.|Bow to the cat.|Long live cheese.|Crowns itch, surely.`,
    joke: `They say {ruler} sleeps in the crown, and wakes with a dent.|The real power is the cook, because everyone must eat.|
      I once waved at {ruler}, and the horse waved back.|Our ruler is so tall that the rain tells him first.`,
    tint: `Crowns are cold suns.|Banners dream of wind.|Thrones gather quiet snow.`,
    image: `A crown is a ring of cold fire that nobody can hold for long.|The castle sits on the hill like an old owl.|Power runs downhill here like rainwater.|The banners speak to the wind, and the wind forgets.`,
  }),
  intent({
    name: 'person',
    topic: 'the whereabouts of {person}',
    lines: `Have you seen {person}?|I'm looking for {person}.|Do you know {person}?|Where can I find {person}?|Is {person} here?|
      #who Who is {person}?|Has {person} been here today?|I need to speak to {person}.|Did {person} come by?|#who What do you know about {person}?|
      I have a message for {person}.|Can you tell me where {person} is?|When did you last see {person}?|#who Is {person} a friend of yours?|
      They say {person} lives around here.|I was told to meet {person}.|#who Can I trust {person}?|Do you know where {person} went?|
      {person} owes me money. Where are they?|#who What's {person} like?`,
    refuse: `Never heard of them.|I won't say.|I don't know {person}.|I won't tell you where {person} is.|{person} doesn't want to be found.|No, {person} is a friend of mine.`,
    deflect: `Many people pass.|Perhaps.|The name sounds familiar.|I see so many faces.|{person} comes and goes.|Why do you want to know?`,
    half: `Yesterday, perhaps.|Not today.|I know the name.|I saw {person} a few days ago, I think.|{person} was here, but I don't know where they went.|Somewhere near the square, I suppose.|
      #who I know the name.|#who Someone from near {landmark}.`,
    answer: `At {landmark}.|Try {landmark}.|{person} is at {landmark}.|You'll find {person} at {landmark}.|I saw {person} this morning at {landmark}.|
      {person} lives close to {landmark}.|Yes, {person} walked towards {landmark}.|At this hour {person} is always at {landmark}.|
      #who A good soul.|#who An old friend.|#who Honest and loud.|#who {person} is an old friend, you can trust every word.|#who {person} works near {landmark} and knows everyone.|#who {person} is honest, stubborn and always hungry.|#who I'd trust {person} with my purse, but not with a secret.`,
    step: `Shall I wait with you?|Say I sent you.|Say that {name} sent you, and {person} will talk.|If you wait here, {person} comes by at noon.|
      Bring something sweet, {person} likes that.|I can take a message, if you write it down.|Knock three times, then wait.`,
    talk: `People ask about {person} a lot lately.|{person} and I were at school together.|I owe {person} a favour or two.|That name always makes people lower their voice.|{person} has a loud laugh and a soft heart.`,
    more: `You'll know {person} by the grey coat.|{person} leaves again at sunset.|It's a good person to know.|They were in a great rush.`,
    quip: `Check under hats.|Follow the cheese.|Not in my soup.|The goose knows.`,
    joke: `{person} borrowed my ladder once, and I've been on the roof since.|I never forget a face, but in that case I tried.|
      {person} is so shy that even the mirror has to wait.|If you see {person}, ask for my spoon back.`,
    tint: `Gone like morning mist.|Footsteps fade to music.|The streets remember them.`,
    image: `{person} moves through {town} like a leaf on slow water.|Some people leave a trail of open doors, and {person} is one.|I saw that coat go by like a small grey cloud.|{person} is a story that walks.`,
  }),
];
