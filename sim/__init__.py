"""The simulated Discord with its drawing bot, on loopback: Limner's default, and the other side of its tests.

Written from what is documented and observed, and importing nothing of the rest of Limner, so that it cannot share a
mistake with what it is there to judge. Read it in this order:

    main, __main__      start, the one JSON line, the end with the parent
    app                 the one port: routes to what follows
    parts, settings     what everything is made of; how the bot behaves
    identity            who lives here: guild, channels, accounts, tokens, ids
    store               what survives kill -9
    gateway, welcome    a websocket connection; READY and GUILD_CREATE
    sessions            events numbered, replayed, given to whom they concern
    rest, errors, limits    routes under /api, their refusals and rate limits
    interactions, commands  what users ask of the bot, checked
    bot, job, voice     drawings living by their script; how they are told
    grammar, embeds, telling    how the bot writes
    messages            history, and how a message is shown
    cdn, studio         signed links; pictures made off the loop
    paint, easel, motifs, palette   the pictures themselves
    ledger, faults, control     what tests ask to see, and to go wrong
"""
