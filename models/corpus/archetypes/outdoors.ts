// Archetypes of road, river and wild: guard, ferryman, hunter, fisher, thief, bard. Data only.
import { type Archetype, archetype } from '../fragment.ts';

export const outdoors: Archetype[] = [
  archetype({
    name: 'guard',
    setting: 'game',
    trades: 'gate guard|watchman|guard captain',
    places:
      'the North Gate|the Toll Bridge|the River Gate|the Watch House|the King Gate|the East Wall|the Salt Gate|the Long Wall',
    wares: 'torch|day pass|whistle|spare cloak|lantern|pair of boots|wooden shield',
    tasks:
      'carry a message to the watch house|keep an eye on the market tonight|find out who cut the gate rope|bring the captain his dinner|walk the wall with me until dawn',
    secrets:
      'you fell asleep on the night of the robbery|you let smugglers in for a coin|you are afraid of the dark|you lost the key to the gate|you have never used your sword',
    rumours:
      'the captain counts one more guard than there should be|somebody opened the gate last night from the inside|a cart came in empty and went out full',
    life: "I've stood at {place} for eleven years, rain or shine.|Nothing gets past me except the cats.|My boots are wet and my shift is long.|The captain checks the wall at midnight.|Every traveller has the same three stories.|I know who belongs in {town} and who does not.|The spear is heavier than it looks.|Night watch is mostly cold feet and owls.|We close the gate at sunset, no matter who is outside.|I signed up for the boots, to tell the truth.",
    quip: 'Halt, who giggles there?|My spear is smirking.|I guard jokes too.|Arrest that pun.|The cats outrank me.',
    joke: 'I once arrested a scarecrow, and it never confessed.|My helmet is so big that the rain echoes in it.|I guard the gate, and the cat guards me, and nobody guards the soup.|The captain told me to look alive, so I borrowed a face.|I challenged a goose at midnight, and the goose won.|The wall has more holes than my socks.|A thief asked me the time, and he took my watch.',
    tint: 'The old wall listens.|So the torches say.|Cold as gate iron.|The night keeps count.|The stones remember boots.',
    image:
      'The wall sleeps like a great grey cat around the town.|At night the torches tell each other where the shadows went.|Every footstep on the bridge leaves a small echo to pay the toll.|Dawn comes to the gate and shows no papers.|The wind walks the wall with me and never gets tired.|My lantern holds a little yard of day.|The road lies outside the gate like a dog that waits.',
    opening: 'Halt.|Step into the light.|Stand where I can see you.|State your business.',
    close: 'Keep to the lit streets.|Move along now.|The gate shuts at sunset.|I have a wall to watch.',
  }),
  archetype({
    name: 'ferryman',
    setting: 'game',
    trades: 'ferryman|boatman|river pilot',
    places:
      'the Lower Ferry|Willow Landing|the Stone Jetty|the Reed Crossing|the Old Pier|Otter Landing|the Misty Ford|the Long Rope Ferry',
    wares: 'crossing|coil of rope|lantern|dried fish|raincoat|paddle|bag of mussels',
    tasks:
      'bring a new rope from the harbour|find the boat that slipped away|row a crate to the island|paint the hull before winter|carry a letter across the river',
    secrets:
      'you cannot swim|you carried the murderer across and took his coin|there is a chest tied under your boat|you talk to the river at night|you once let a rich man walk home wet',
    rumours:
      'the river ran backwards for a whole hour|someone rows without a lantern after midnight|they pulled a crown out of the reeds',
    life: "I cross this river forty times a day.|The water is high after the rain in the hills.|My boat is older than I am and complains less.|I know each stone under the water by name.|Fog is the only thing that keeps the ferry in.|Everyone pays the same coin at {place}, duke or beggar.|The rope was my father's, and so was the cough.|The far bank looks closer than it is.|In winter I break the ice with the oar.|People tell the truth in a small boat.",
    quip: 'Row with it.|Oar else.|The fish are laughing.|Water under the boat.|Ask the ducks.',
    joke: 'My boat leaks only where you sit.|I charge half for ducks, because they push.|I once raced a duck across the river, and it asked for a rematch out of pity.|A man paid to cross twice, because he forgot his trousers.|My beard holds two fish and a small frog today.|I cannot whistle, so the geese do it for me.|The goat rowed better than the bishop.',
    tint: 'So the river says.|The tide nods along.|Slow as green water.|The reeds heard it.|The fog keeps secrets.',
    image:
      'The river carries the sky down to the sea in pieces.|Fog is the water trying to remember how to fly.|Each oar stroke opens a door and closes it again.|The far bank waits like a word on the tip of the tongue.|At dusk the river puts on all its silver.|Old names drift past here under the lilies.|The boat rocks us both like a slow green thought.',
    opening: 'Mind the step, it is wet.|Watch the rope.|Wait, let me tie her up.|Sit in the middle.',
    close: 'The boat leaves soon.|Keep your feet dry.|The current is turning.|Ring the bell when you need me.',
  }),
  archetype({
    name: 'hunter',
    setting: 'game',
    trades: 'hunter|ranger|forester',
    places: 'Pine Lodge|the Antler Camp|the Forest Edge|Wolf Hollow|the Deer Stand|the High Camp|Birch Clearing|the Hollow Oak',
    wares: 'fur hat|haunch of venison|bow|pair of gloves|snare|bundle of arrows|leather bag',
    tasks:
      'follow the strange tracks in the snow|bring this fur to the market|find my missing dog|repair the bridge at the ravine|set lamps along the forest path',
    secrets:
      'you never shoot the white deer|you are lost more often than you admit|you feed the wolf in winter|you shot the duke by mistake once|you would rather be a tailor',
    rumours:
      'a white stag walks through the camp at dawn|the wolves have gone silent since the new moon|smoke rises where nobody lives',
    life: "I read the ground the way others read letters.|The forest is never as empty as it looks.|Snow tells you everything that happened in the night.|My dog hears trouble before I do.|I take no more than the forest can spare.|The best bow at {place} was my mother's.|Up here the nearest neighbour is a bear.|I come down to {town} for salt and company.|Wet leaves are quiet, and dry ones are gossips.|Patience fills more pots than arrows do.",
    quip: 'Bear with me.|The squirrel objected.|A deer friend said so.|Ask my dog.|I missed the joke, too.',
    joke: 'I tracked a bear for three days, and it was following me.|My dog is trained to find anything except the way home.|I shot an arrow at a deer and hit my own hat.|The squirrels hold meetings about me, and I am never invited.|The bear and I share a nap every autumn, on different sides of a tree.|I set a trap, forgot it, and caught my own trousers.|The owl laughs at all my jokes, and always at the wrong time.',
    tint: 'So the pines say.|Quiet as falling snow.|The forest keeps score.|An owl told me.|The moss knows.',
    image:
      'The forest holds its breath when strangers pass.|Snow is the page where the night writes its news.|The old oaks lean together like judges in green coats.|A deer at dawn is only mist that has learned to listen.|The wind combs the pines until they begin to sing.|Every path here was first a thought in the head of a fox.|Shadows grow in the hollow like blue moss.',
    opening: 'Quiet, you will scare the deer.|Sit by the fire.|Easy, the dog is friendly.|Ah, I heard you coming a mile away.',
    close: 'Watch the tracks.|The light is going.|I have snares to check.|Stay on the path.',
  }),
  archetype({
    name: 'fisher',
    setting: 'game',
    trades: 'fisher|net mender|crab catcher',
    places: 'the Crooked Pier|Gull Harbour|the Salt Steps|Herring Quay|the Blue Boat|the Net House|Lighthouse Point|Mussel Bay',
    wares: 'bucket of herring|smoked eel|fishing net|crab|pearl|jar of salt|oyster',
    tasks:
      'untangle the nets before the tide|bring bait from the salt marsh|find the buoy that broke loose|row out to the lighthouse with oil|sell a basket of crabs at the market',
    secrets:
      'you get seasick|you found a pearl and buried it|you saw the ship that nobody believes in|you sell river fish as sea fish|you promised your catch to the harbour witch',
    rumours:
      'the lighthouse lamp burns blue on some nights|a ship came in with no crew and warm bread|the herring swim in circles this year',
    life: 'I go out before dawn and I come back with the gulls.|The nets need mending after every storm.|Salt gets into the bread, the beard and the bed.|The sea gives on Monday and takes on Tuesday.|My boat is small, but she knows the way home.|A red sky at {place} means wind by noon.|I was raised on fish soup and bad weather.|Gulls are thieves with good voices.|The harbour of {town} smells of tar and hope.|Nobody hurries a tide.',
    quip: 'Something smells fishy.|Cod only knows.|The gulls agree.|Ask a herring.|For the halibut.',
    joke: 'I caught a boot, and it was fresher than my lunch.|The crab pinched me, so we are even with his cousin.|My wife says I smell of fish, but the fish say I smell of wife.|I told the herring a joke, and the whole barrel cracked up.|The gull stole my hat and wears it better.|My soup has one fish in it, and he is only visiting.|I fell in twice today, and the second time was to look for my hat.',
    tint: 'So the tide says.|The gulls know it.|Salt remembers everything.|Deep as harbour dusk.|The lighthouse blinks.',
    image:
      'The sea folds and unfolds its one long letter.|The moon pulls the water in like a slow silver net.|Each wave brings a word and takes it back.|The lighthouse stirs the dark with a yellow spoon.|Nets hang on the pier like the ghosts of old summers.|Under the boat there is another sky with fish for birds.|Storms begin as a whisper between two clouds.',
    opening: 'Mind the nets.|Let me tie this knot.|Hold this rope.|Watch out for the crabs.',
    close: 'The tide is turning.|The nets will not mend themselves.|Fair winds to you.|I smell rain, so be quick home.',
  }),
  archetype({
    name: 'thief',
    setting: 'game',
    trades: 'thief|pickpocket|retired burglar',
    places:
      'Crooked Alley|the Back Stairs|the Velvet Cellar|the Old Sewer Gate|Lantern Court|the Roof Garden|Whisper Lane|the Blind Corner',
    wares: 'lockpick|forged pass|silk rope|black cloak|false beard|silver ring|skeleton key',
    tasks:
      'borrow a key from the sleeping steward|carry a box and never open it|distract the guard at the gate|find out what the duke keeps in his cellar|return a ring without being seen',
    secrets:
      'you give half of it to the orphans|you work for the captain of the watch|you stole the bell of {town}|you are really a baron|you have never picked a lock that was locked',
    rumours:
      'the duke keeps his gold in the goose house|the guards change at the second bell now|a rich widow leaves her window open on purpose',
    life: 'I never steal on Sundays.|Doors are only suggestions.|I know three ways out of any room.|The roofs of {town} are a second street.|Honest work gives me a rash.|A quiet shoe is worth more than a sharp knife.|I grew up behind {place}, where the lamps never burned.|Guards look left, so I walk right.|My fingers are old, but they remember.|I borrow things, and I have a poor memory.',
    quip: 'Check your pockets.|I stole that line.|Finders, keepers.|Nice purse, by chance.|My alibi agrees.',
    joke: 'I stole a clock once, and it gave me away every hour.|I broke into a house and was so bored that I cleaned it.|I robbed a poet, and all I got was a sonnet and a cold.|My own pocket was picked, and the work was lovely.|I wear a false beard over my real beard, for safety.|A dog chased me for a mile, and now we share a flat.|I once picked a lock for an hour, and the door was open.',
    tint: 'The shadows agree.|Soft as stolen velvet.|So the rooftops say.|Night keeps my books.|The moon winked.',
    image:
      'The night is a coat with a thousand pockets.|Moonlight is the only coin nobody can count.|A lock is a small iron riddle that wants to be solved.|The roofs lie under the stars like a sleeping herd.|Shadows know me by name and hold the door.|Secrets fall out of windows like feathers.|Every key dreams of the door it lost.',
    opening: 'Keep your voice down.|Step out of the light.|You did not see me here.|Come closer, and act bored.',
    close: 'I was never here.|Use the back door.|Watch your purse.|The guard comes round soon.',
  }),
  archetype({
    name: 'bard',
    setting: 'game',
    trades: 'bard|minstrel|travelling singer',
    places:
      'the Market Stage|the Singing Bridge|the Fiddle House|the Painted Wagon|the Round Fountain|the Harp Yard|the Summer Fair|the Green Stage',
    wares: 'ballad|wooden flute|love poem|drum|song for your name|fiddle string|mask',
    tasks:
      'bring me the ending of a lost song|find my runaway fiddle player|hang notices for the show|sing with me at the wedding|ask the ferryman for his sad story',
    secrets:
      'you stole your best song from a dead man|you cannot read music|you are hiding from your own wedding|you spy for the queen|your voice is failing',
    rumours:
      'the queen pays for sad songs and weeps at happy ones|a fiddle in the pawnshop plays on its own|there will be a wedding nobody asked for',
    life: 'I play for supper, and sometimes supper plays hard to get.|A song needs three chords and one good lie.|I have slept in more barns than most cows.|My lute survived two wars and one wedding.|The crowd at {place} throws coins, and now and then shoes.|I collect stories the way boots collect mud.|Every town wants its own name in the chorus.|{town} has fine ears and thin purses.|I tune the strings before breakfast.|Applause is warm, but it does not pay for boots.',
    quip: 'I made that rhyme.|Drum roll, please.|Encore, says nobody.|The lute is giggling.|Sing it, goose.',
    joke: 'I wrote a song about soup, and it needs more salt.|My lute has five strings, because the sixth ran off with a fiddler.|They asked me for something quiet, so I left.|I sang to a cow once, and the milk turned to applause.|My last show had a crowd of twelve, and nine were geese.|A lord paid me to stop, and it was my best night of the year.|I rhymed "duchess" with "clutches" and slept in the stable.',
    tint: 'The strings would agree.|So the chorus goes.|Sweet as last notes.|The silence hums along.|My lute dreamed it.',
    image:
      'A song is a bridge that you build while you walk on it.|Every silence here is a drum that someone forgot to strike.|The evening tunes itself like a great blue harp.|My words go out as sparrows and come back as swans.|Old tunes sleep in the wood and wake when touched.|The crowd breathes like a sea with candles on it.|Tears and laughter share one cloak and take turns.',
    opening: 'Let me tune this string.|Ah, an audience.|Hold that note.|Gather round, then.',
    close: 'The next song is calling.|Toss a coin if you liked it.|I play again at dusk.|Hum it on your way home.',
  }),
];
