"""The pages, cut by audience. The only room that knows Flask's request, session and current_user."""
