use statefn::testing::Scenario;

#[test]
fn quantities_add_up_and_only_what_is_there_can_go() {
    let added = |quantity| CartEvent::ItemAdded { product_id: "p1".into(), name: "Deluxe".into(), quantity };

    Scenario::<Cart>::new("alice")
        .given([added(5)])
        .when(|cart, ctx| cart.add_item(ctx, "p1".into(), "Deluxe".into(), 2))
        .then_events([added(2)])
        .then_reply(())
        .when(|cart, ctx| cart.remove_item(ctx, "p2".into()))
        .then_no_events()
        .then_rejection(CartError::Absent("p2".into()))
        .query(|cart| cart.items().len())
        .then_reply(1);
}
